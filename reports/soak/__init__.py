"""The report of a soak, one self-contained file, from its result.json alone."""
