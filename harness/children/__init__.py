"""Child processes: how they are started, watched and ended, so that nothing outlives what it was started for.

A session or a server is started through a keeper (`keeper`), a small process between the run and the child. Either
may be killed at any moment: processes that the child leaves behind become the keeper's children, and those that the
keeper leaves behind the run's, and are ended there. Client processes are started directly (`start`) and die with their
session.
If run and keeper are killed at once, the next run finds what is left by its name (`leftovers`).
Imports the standard library only, so that the keeper starts within milliseconds.
"""
