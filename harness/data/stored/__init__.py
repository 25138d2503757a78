"""Datasets on disk: written and hashed block by block, opened mapped."""
