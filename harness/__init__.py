"""Measures vector engines. Knows none of them by name."""
