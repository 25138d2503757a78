"""CPU time of this machine's processors, and of the processes that belong to a run. Standard library only."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from harness.children import tree

STAT = Path("/proc/stat")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_IDLE, _STEAL, _TIMES = (3, 4, 5, 6), 7, 8  # idle, iowait, irq, softirq; guest time is contained in user time


class Processors(NamedTuple):
    """CPU times since boot, in clock ticks. number: of the processors that are counted.

    unused: idle, or busy with interrupts, which belong to no process. Idle time is measured, not sampled.
    """

    number: int
    stolen: int
    unused: int
    total: int


def processors(usable: frozenset[int] | None = None) -> Processors | None:
    """The processors of this machine, or the `usable` ones; None where the kernel does not report them."""
    try:
        with STAT.open("rb") as file:
            lines = [line.split() for line in file if line.startswith(b"cpu")]
        own = [
            [int(text) for text in fields[1:]]
            for name, *fields in ((line[0], *line) for line in lines)
            if name != b"cpu" and (usable is None or int(name[3:]) in usable)
        ]
    except (OSError, ValueError):
        return None
    if not own or any(len(times) < _TIMES for times in own):
        return None
    return Processors(
        len(own),
        sum(times[_STEAL] for times in own),
        sum(times[position] for times in own for position in _IDLE),
        sum(sum(times[:_TIMES]) for times in own),
    )


class OwnProcesses:
    """The CPU time of a process and all below it, and of others that are counted in.

    Whether a process belongs to them is decided once, when it is first seen: a process may leave its session and its
    parent, but the processes that adopt orphans (see harness.children) are below the run.
    """

    def __init__(self, root: int) -> None:
        self._own = {root}
        self._foreign: set[int] = set()
        self._last = self._lost = 0

    def add(self, root: int) -> None:
        """Counts another process, and what it will start, as the run's own: a server, a container's first process."""
        below = {one.pid for one in tree.below([root], tree.processes())}
        self._own |= {root, *below}
        self._foreign -= self._own

    def cpu_ticks(self) -> int:
        """What they have used so far, user and system, in clock ticks; never less than before."""
        now = set(tree.pids())
        self._own &= now
        self._foreign &= now
        self._assign({pid: one for pid in now - self._own - self._foreign if (one := tree.stat(pid))})
        found = sum(one.cpu_ticks for pid in self._own if (one := tree.stat(pid)))
        # The CPU time of a process whose parent does not wait for it is lost when it ends.
        self._lost += max(0, self._last - found)
        self._last = found
        return found + self._lost

    def _assign(self, new: dict[int, tree.Stat]) -> None:
        while new:
            known = {pid: one for pid, one in new.items() if one.parent in self._own or one.parent not in new}
            for pid, one in known.items():
                if one.parent in self._own:
                    self._own.add(pid)
                elif one.parent in self._foreign or one.parent == 0:
                    self._foreign.add(pid)
            new = {pid: one for pid, one in new.items() if pid not in known}
            if not known:
                return
