"""Listings as numbers that the towers read: codes of categories, scaled numbers, text as a vector.

What is unknown or missing has a code of its own.
"""
