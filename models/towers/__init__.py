"""The towers as JAX modules: a listing's vector from its features, a user's from the vectors of what they took."""
