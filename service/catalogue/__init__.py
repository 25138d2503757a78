"""The source of truth: every listing with its attributes, vector and version, and the outbox that projections follow.

`listing` and `schema` are the values, `store` the protocol; SQLite and PostgreSQL stand behind it, with one writer
that commits for many callers at once. Knows no engine: what it stores is what was accepted.
"""
