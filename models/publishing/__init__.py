"""What a trained model leaves for engines: its listings, and held-out users as queries with filters of their own.

A folder in the form of docs/datasets.md, whole or not there. Imports `data`; knows no engine and no JAX.
"""
