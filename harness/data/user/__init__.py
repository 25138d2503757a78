"""A user's own data: their files found, checked block by block and converted."""
