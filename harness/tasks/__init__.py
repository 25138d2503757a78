"""What a session measures, by kinds of task: index, search, updates, durability, answers. Their keys and cells are in
`harness.scenario.tasks`. Imports load, machine and oracle.
"""
