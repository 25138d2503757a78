"""Load: drives an engine with operations and returns one sample for each.

`closed_loop` and `open_loop` drive an engine of this process with threads; `processes` does so from client processes,
each with an engine of its own. Knows neither tasks nor truth.
"""
