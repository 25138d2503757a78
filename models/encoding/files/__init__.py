"""Listings and users of files with their vectors, and files of vectors."""
