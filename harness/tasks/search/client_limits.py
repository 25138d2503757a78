"""Where a figure may not be the engine's own: busy client processors, and remembered answers."""

from __future__ import annotations

import os
from collections.abc import Mapping

from harness.machine.usage import Cpu
from harness.results.summary import throughput
from harness.tasks.bench import Bench
from harness.tasks.search.driving import Window

BUSY = 0.8  # share of its one processor above which a client process may be the limit
_GAIN = 1.05  # by how much twice the client processes have to raise the throughput to be kept
_PROBE_S = 0.5
REMEMBERED = 3.0  # times as fast as the first time: answers are remembered


def client_share(metrics: Mapping[str, float | None], processes: int, window_s: float) -> float | None:
    """CPU time of a server's clients as a share of what their processes can use: one processor each, since Python's
    interpreter lock lets one thread of a process run at a time. None where client and engine share a process.
    """
    used_s = metrics.get("client_cpu_s")
    return None if used_s is None or window_s <= 0 else used_s / (window_s * processes)


def client_flags(metrics: Mapping[str, float | None], *, spinning: bool = False) -> list[str]:
    """`client-bound 93 %` where the client's processors, not the server's, may have been the limit.

    spinning: the client spends its free time spinning until the next request is due, so that its processor is busy
    whatever the load; lateness then shows whether it kept up.
    """
    share = None if spinning else metrics.get("client_cpu_share")
    return [f"client-bound {share:.0%}"] if share is not None and share > BUSY else []


def repeat_flags(
    metrics: Mapping[str, float | None], gain: float | None, *, asked_before: bool = False
) -> list[str]:
    """`remembered 4.2 times` where a window asked its queries again, or those of an earlier window (asked_before), and
    the engine answers those much faster.
    """
    asked, distinct = metrics.get("queries") or 0.0, metrics.get("distinct_queries") or 0.0
    if gain is None or gain < REMEMBERED or not (asked > distinct or asked_before):
        return []
    return [f"remembered {gain:.1f} times as fast"]


def count_processes(bench: Bench, window: Window) -> int:
    """How many client processes a closed loop needs until the server, or the machine, is the limit.

    Short windows of 1, 2, 4, ... processes: as long as a client process is busy most of the time, twice as many are
    tried, and kept where they raise the throughput. Chosen once for a task and session.
    """
    key = window.task.name
    if key not in bench.processes:
        bench.processes[key] = _search(bench, window)
    return bench.processes[key]


def _search(bench: Bench, window: Window) -> int:
    if not (bench.meter.separate and bench.engine.capabilities.multi_process):
        return 1
    most = min(len(os.sched_getaffinity(0)), window.task.clients)
    best, rate = 1, 0.0
    processes = 1
    while processes <= most:
        cpu = Cpu(bench.meter)
        probe = Window(bench, window.task, window.cell, processes, window.rate)
        samples, offered_s = probe.measure(_PROBE_S, cpu.restart)
        reached = throughput(samples, offered_s) or 0.0
        if processes > 1 and reached < rate * _GAIN:
            break
        best, rate = processes, reached
        share = client_share(cpu.figures()[0], processes, _PROBE_S)
        if share is not None and share < BUSY:
            break
        processes *= 2
    return best
