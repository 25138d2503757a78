"""Texts as vectors, by kinds: words learnt from the catalogue, and WordLlama."""
