"""Commands that run the reference service and look after it."""
