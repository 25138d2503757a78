"""What a session measures, one module for each kind of task: index, search, updates, durability. Their keys and cells
are in `harness.scenario.tasks`. Imports load, machine and oracle.
"""
