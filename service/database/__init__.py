"""What every store of the service needs of a database: SQLite in a file, or PostgreSQL by a URL.

`database` is the protocol, `sqlite` and `postgres` follow it, `opening` takes either by its place; `writer` commits for
many callers at once, `pool` keeps connections for reading, `errors` is what all of them raise. Knows no table.
"""
