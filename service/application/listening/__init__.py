"""Requests from a socket to the application.

`serving` listens and ends in order, by a `protocol` that turns requests away from their heads and is `guarding` itself
against clients that send without end or not at all. `workers` are several processes that answer on one port.
"""
