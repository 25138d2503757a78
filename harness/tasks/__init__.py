"""What a session measures, one module a task: index, search, updates. Each brings its cells, its measuring and its
metrics. Imports load, machine and oracle.
"""
