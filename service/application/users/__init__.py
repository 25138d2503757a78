"""Users who are known by id.

`known` are those that a model was published with and those of events, `simulated` are made up.
"""
