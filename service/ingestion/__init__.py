"""Listings from outside into the catalogue, as many as come: read, checked, encoded, written.

`record` is what a source brings; `pipeline` takes records from any source, tries again where the store fails, and keeps
in `letters` what is wrong; `figures` counts. `files` and `kafka` are sources.
"""
