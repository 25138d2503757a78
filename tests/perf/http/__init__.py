"""What `tests.perf.over_http` stands on.

`null_engine` is an engine that does no work, `echo_app` applications that do none of a service, `loading` asks them
over sockets, `pinned` keeps processes to their cores and reads the processor time that they took.
"""
