"""How commands print: results, messages, and how far they are."""
