"""Load: drives an engine with a workload and returns one sample a request.

`closed_loop` and `open_loop` drive an engine of this process with threads. `drive_processes` runs the plans
of `split_closed_loop` or `split_open_loop` in client processes, each with an engine of its own.
"""

from __future__ import annotations

from harness.closed_loop import closed_loop
from harness.open_loop import open_loop
from harness.processes import drive_processes, split_closed_loop, split_open_loop

__all__ = ["closed_loop", "drive_processes", "open_loop", "split_closed_loop", "split_open_loop"]
