"""The search task: windows of load on the engine, and whether their figures may not be the engine's own."""
