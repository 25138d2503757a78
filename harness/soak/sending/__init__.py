"""What sends the load and gathers what became of it, in gevent, as Locust runs it.

`client` is a connection, `generator` sends a process' part of the schedule over many of them, `collector` has the rows
of all processes. Only `locustfile.py` imports it: gevent changes how a whole process waits.
"""
