"""How much is done at once, and for how long: deadlines, a limit that follows latency, a breaker, bounded threads.

`deadline`, `adaptive` and `breaker` decide: they take the time as an argument, in seconds of any clock that never goes
back, and do nothing else, so that a simulation runs them as the service does. `gate` and `threads` are what asyncio
waits on. Imports nothing else of the service.
"""
