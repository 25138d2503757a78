"""Child processes: how they are started, watched and ended, so that nothing outlives what it was started for.

A session or a server is started through a keeper (`keeper`), a small process between the run and the child. Either
may be killed at any moment: what the child leaves behind then belongs to the keeper, and what the keeper leaves to the
run, and whoever is left ends it. Client processes are started directly (`start`) and die with their session.
What even that misses (run and keeper killed at once) the next run finds by its mark (`leftovers`).
Imports the standard library only, for the keeper is to start within milliseconds.
"""
