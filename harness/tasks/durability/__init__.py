"""The durability task: what it writes, and what is left of it."""
