"""The process behind `harness.machine.noise`: it only sleeps, notes by how much it overslept, and answers questions.

It imports the standard library alone, so that it starts in milliseconds and stays small.
Protocol: a line `window START_NS END_NS` on standard input is answered by a line of JSON on standard output; a line
`own PID` counts that process, and what it will start, as the run's own, and is not answered. The process ends when
standard input does, so it never outlives its parent.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import sys
from array import array
from bisect import bisect_left, bisect_right
from time import perf_counter_ns, sleep

from harness.machine.cpu_accounts import TICKS_PER_S, OwnProcesses, Processors, processors

TICK_NS = 10_000_000  # 100 a second: below 1 % of a core, in which a wake-up costs 40-90 us
CPU_EVERY = 20  # ticks between two readings of the CPU accounting, which itself counts in steps of 10 ms
_PR_SET_TIMERSLACK = 29


class Record:
    """What was seen: one overshoot a tick, and CPU times now and then."""

    def __init__(self) -> None:
        self.at_ns, self.over_ns = array("q"), array("q")
        self.cpu_at_ns, self.stolen, self.total = array("q"), array("q"), array("q")
        self.unused, self.own = array("q"), array("q")
        self.processors = 0

    def add_tick(self, at_ns: int, over_ns: int) -> None:
        self.at_ns.append(at_ns)
        self.over_ns.append(over_ns)

    def add_cpu(self, at_ns: int, times: Processors | None, own_ticks: int) -> None:
        if times is not None:
            self.cpu_at_ns.append(at_ns)
            self.stolen.append(times.stolen)
            self.total.append(times.total)
            self.unused.append(times.unused)
            self.own.append(own_ticks)
            self.processors = times.number

    def window(self, start_ns: int, end_ns: int) -> dict[str, float | None]:
        """The noise of [start_ns, end_ns]; None for what no reading covers."""
        over_ns = sorted(self.over_ns[bisect_left(self.at_ns, start_ns) : bisect_right(self.at_ns, end_ns)])
        answer: dict[str, float | None] = {
            "steal_share": None,
            "foreign_share": None,
            "foreign_s": None,
            "oversleep_p99_us": over_ns[(len(over_ns) * 99 - 1) // 100] / 1e3 if over_ns else None,
            "oversleep_max_us": over_ns[-1] / 1e3 if over_ns else None,
        }
        # From the last reading before the window to the first after it, so that a short one is covered.
        first = max(0, bisect_right(self.cpu_at_ns, start_ns) - 1)
        last = min(len(self.cpu_at_ns) - 1, bisect_left(self.cpu_at_ns, end_ns))
        if last > first and self.total[last] > self.total[first]:
            stolen, total = self.stolen[last] - self.stolen[first], self.total[last] - self.total[first]
            answer["steal_share"] = stolen / total
            answer |= self._foreign(first, last, stolen)
        return answer

    def _foreign(self, first: int, last: int, stolen: int) -> dict[str, float | None]:
        """CPU time that was neither idle, stolen, nor used by the run's own processes."""
        passed = (self.cpu_at_ns[last] - self.cpu_at_ns[first]) / 1e9 * TICKS_PER_S * self.processors
        unused, own = self.unused[last] - self.unused[first], self.own[last] - self.own[first]
        foreign = max(0.0, passed - unused - stolen - own)
        return {"foreign_share": foreign / passed, "foreign_s": foreign / TICKS_PER_S}


def main() -> None:
    """Sleeps, notes, answers; returns at the end of standard input."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    record, parent, tick = Record(), os.getppid(), 0
    own, usable = OwnProcesses(parent), frozenset(os.sched_getaffinity(0))

    def read_cpu() -> None:
        own_ticks = own.cpu_ticks()
        record.add_cpu(perf_counter_ns(), processors(usable), own_ticks)

    while os.getppid() == parent:
        if tick % CPU_EVERY == 0:
            read_cpu()
        tick += 1
        before_ns = perf_counter_ns()
        sleep(TICK_NS / 1e9)
        now_ns = perf_counter_ns()
        record.add_tick(now_ns, now_ns - before_ns - TICK_NS)
        # Sleeping in select itself would answer sooner, but takes twice the CPU time.
        if not select.select((0,), (), (), 0)[0]:
            continue
        words = sys.stdin.readline().split()
        if not words:
            return
        if words[0] == "own":
            own.add(int(words[1]))
            continue
        read_cpu()
        sys.stdout.write(json.dumps(record.window(int(words[1]), int(words[2]))) + "\n")
        sys.stdout.flush()
