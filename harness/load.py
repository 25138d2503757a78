"""Load: drives an engine with a workload and returns one sample a request.

`closed_loop` and `open_loop` drive an engine of this process with threads; `drive_processes` starts client
processes, each with an engine of its own.
"""

from __future__ import annotations

from harness.closed_loop import closed_loop
from harness.open_loop import open_loop

__all__ = ["closed_loop", "open_loop"]
