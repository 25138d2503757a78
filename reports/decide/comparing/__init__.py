"""Settings compared: the best one of each engine, their order, and how often it comes out so. Pure."""
