"""Load: drives an engine with operations and returns one sample for each.

`operations` has the requests, as data. `closed_loop` and `open_loop` drive an engine of this process with threads;
`processes` does so from client processes, each with an engine of its own. `answers` and `recording` keep the
answers in bounded memory. `warmup` and `repeats` find out when an engine is warm, and how much faster repeated queries
are. Knows neither tasks nor truth.
"""
