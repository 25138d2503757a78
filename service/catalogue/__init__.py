"""The source of truth: every listing with its attributes, vector and version, and the outbox that projections follow.

`listing` and `schema` are the values, `store` the protocol, `sql` follows it in the tables of a database, `deciding`
says what a change does. Knows no engine: what it stores is what was accepted.
"""
