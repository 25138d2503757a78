"""The trained towers in plain NumPy, for indexing and serving."""
