"""How often decision and gate are right and wrong, by simulated runs with known differences: `make simulate`."""
