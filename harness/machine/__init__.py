"""The machine: what engines use of it (meters), its own noise, and what it is. Imports nothing of the load."""
