"""How much is done at once, for how long and how often: deadlines, a limit that follows latency, a breaker, bounded
threads, rates.

`deadline`, `adaptive` and `breaker` decide: they take the time as an argument, in seconds of any clock that never goes
back, and do nothing else, so that a simulation runs them as the service does. `gate` and `threads` are what asyncio
waits on; `rates` are each caller's. Imports nothing else of the service.
"""
