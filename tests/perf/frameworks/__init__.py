"""Which web framework and server answer our payloads fastest; by name only: `python -m tests.perf.frameworks`.

It needs what the lock does not hold (FastAPI, uvicorn, httptools, uvloop), in a Python of its own, and the client wrk.
"""
