"""A run's cells and samples as tables for people and their programs, and the formats that these are written in."""
