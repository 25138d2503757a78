"""Commands of two-tower models."""
