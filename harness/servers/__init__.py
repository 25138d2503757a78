"""Servers of engines: found at an address, started as a process or in a container, always stopped."""
