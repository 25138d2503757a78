"""Attributes in a user's files, whatever their format: Parquet in one file or several, CSV, JSON lines."""
