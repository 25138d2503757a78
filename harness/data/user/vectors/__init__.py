"""Vectors in a user's files, whatever their format: opened, checked, and read block by block."""
