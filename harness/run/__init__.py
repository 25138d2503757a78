"""A whole run: trials and sessions in processes of their own, recorded cell by cell."""
