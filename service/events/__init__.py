"""What users did with listings: saw, clicked, favoured and bought them.

`event` is the values, `clocks` which moments are believed, `store` the protocol, `sql` follows it in a table of a
database, `opening` takes that by its place; `export` writes what a model is trained on. Knows no listing, only ids.
"""
