"""The package index of a Linux distribution as a dataset: descriptions as vectors, sections and tags as attributes."""
