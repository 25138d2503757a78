"""The process behind `harness.machine.noise`: it only sleeps, notes by how much it overslept, and answers questions.

Run by path, isolated, with the standard library alone, so that it starts in milliseconds and stays small.
Protocol: a line `start_ns end_ns` on standard input is answered by a line of JSON on standard output. It
ends when standard input does, so it never outlives its parent.
"""

from __future__ import annotations

import ctypes
import json
import os
import select
import sys
from array import array
from bisect import bisect_left, bisect_right
from pathlib import Path
from time import perf_counter_ns, sleep

TICK_NS = 10_000_000  # 100 a second: below 1 % of a core, in which a wake-up costs 40-90 us
CPU_EVERY = 10  # ticks between two readings of the CPU accounting, which itself counts in steps of 10 ms
STAT = Path("/proc/stat")
_PR_SET_TIMERSLACK = 29
_STEAL = 7  # position in the line "cpu user nice system idle iowait irq softirq steal guest guest_nice"
_TIMES = 8  # guest time is contained in user time


def cpu_times() -> tuple[int, int] | None:
    """(stolen, total) CPU time of the machine since boot, in clock ticks; None where it is not told."""
    try:
        with STAT.open() as file:
            times = [int(text) for text in file.readline().split()[1:]]
    except (OSError, ValueError):
        return None
    return (times[_STEAL], sum(times[:_TIMES])) if len(times) > _STEAL else None


class Record:
    """What was seen: one overshoot a tick, and CPU times now and then."""

    def __init__(self) -> None:
        self.at_ns, self.over_ns = array("q"), array("q")
        self.cpu_at_ns, self.stolen, self.total = array("q"), array("q"), array("q")

    def add_tick(self, at_ns: int, over_ns: int) -> None:
        self.at_ns.append(at_ns)
        self.over_ns.append(over_ns)

    def add_cpu(self, at_ns: int, times: tuple[int, int] | None) -> None:
        if times is not None:
            self.cpu_at_ns.append(at_ns)
            self.stolen.append(times[0])
            self.total.append(times[1])

    def window(self, start_ns: int, end_ns: int) -> dict[str, float | None]:
        """The noise of [start_ns, end_ns]; None for what no reading covers."""
        over_ns = sorted(self.over_ns[bisect_left(self.at_ns, start_ns) : bisect_right(self.at_ns, end_ns)])
        answer: dict[str, float | None] = {
            "steal_share": None,
            "hiccup_p99_us": over_ns[(len(over_ns) * 99 - 1) // 100] / 1e3 if over_ns else None,
            "hiccup_max_us": over_ns[-1] / 1e3 if over_ns else None,
        }
        # From the last reading before the window to the first after it, so that a short one is covered.
        first = max(0, bisect_right(self.cpu_at_ns, start_ns) - 1)
        last = min(len(self.cpu_at_ns) - 1, bisect_left(self.cpu_at_ns, end_ns))
        if last > first and self.total[last] > self.total[first]:
            stolen, total = self.stolen[last] - self.stolen[first], self.total[last] - self.total[first]
            answer["steal_share"] = stolen / total
        return answer


def main() -> None:
    """Sleeps, notes, answers; returns at the end of standard input."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)
    record, parent, tick = Record(), os.getppid(), 0
    while os.getppid() == parent:
        if tick % CPU_EVERY == 0:
            record.add_cpu(perf_counter_ns(), cpu_times())
        tick += 1
        before_ns = perf_counter_ns()
        sleep(TICK_NS / 1e9)
        now_ns = perf_counter_ns()
        record.add_tick(now_ns, now_ns - before_ns - TICK_NS)
        # Sleeping in select itself would answer sooner, but takes twice the CPU time.
        if not select.select((0,), (), (), 0)[0]:
            continue
        line = sys.stdin.readline()
        if not line:
            return
        start_ns, end_ns = map(int, line.split())
        record.add_cpu(now_ns, cpu_times())
        sys.stdout.write(json.dumps(record.window(start_ns, end_ns)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
