"""Texts as vectors, by a model that lies inside a package: nothing is downloaded."""
