"""What the load loops cost and how true their latencies are, side by side with other ways to write them.

Open-loop truth: the engine answers 1 ms after a request arrives and stalls 200 ms every 5 s, at moments known
in advance; so each request's true latency follows from when it was due. Each tool is compared with the truth
of its own schedule.
"""

from __future__ import annotations

import math
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.calibration.calibrate import (
    bare_cost_ns,
    closed_loop_samples,
    cost_in_processes_ns,
    empty_call_ns,
    guarded_cost_ns,
    null_workload,
    query_cost_ns,
    timed_section_ns,
)
from harness.load.open_loop import open_loop
from harness.load.schedules import poisson
from tests.perf.others import asyncio_client, threads_from_send
from tests.perf.stall import PipelinedStallEngine, StallEngine, StallServer, compile_c, true_latency_ns

Int64 = npt.NDArray[np.int64]
Row = dict[str, Any]
Client = Callable[[int, Int64], tuple[Int64, Int64, Int64]]

RATES = (500, 2000)
_ROUNDS = 3
_SCHEDULE_S = 5.0  # one period: whatever the start, a twenty-fifth of it is stall
_IN_FLIGHT = 512  # a stall of 200 ms at 2,000/s keeps 400 requests waiting
_POOL = 20  # threads of a usual pool


def figures() -> list[Row]:
    """Rows of name, ours, reference, ratio and unit; medians of interleaved rounds."""
    rows = _closed_loop()
    try:
        with tempfile.TemporaryDirectory() as folder:
            server, spin = (compile_c(name, Path(folder)) for name in ("stall_server", "spin"))
            for rate in RATES:
                rows += _open_loop(rate, server, spin)
    except RuntimeError as error:
        rows.append(_row("open loop against a stalling engine", None, None, "ms", str(error)))
    return rows


def _row(name: str, mine: float | None, reference: float | None, unit: str, note: str = "") -> Row:
    ratio = mine / reference if mine is not None and reference else None
    return {"name": name, "ours": mine, "reference": reference, "ratio": ratio, "unit": unit, "note": note}


def _closed_loop(rounds: int = 7, count: int = 100_000) -> list[Row]:
    costs: dict[str, list[float]] = defaultdict(list)
    for number in range(rounds):
        samples = closed_loop_samples(count)
        costs["ours"].append(query_cost_ns(samples) / 1e3)
        costs["of 100"].append(query_cost_ns(closed_loop_samples(count // 5, k=100)) / 1e3)
        costs["timed"].append(timed_section_ns(samples, empty_call_ns(count)) / 1e3)
        costs["bare"].append(bare_cost_ns(count) / 1e3)
        costs["guarded"].append(guarded_cost_ns(count) / 1e3)
        if number % 2 == 0:
            costs["processes"].append(cost_in_processes_ns(count) / 1e3)
    cost = {name: median(values) for name, values in costs.items()}
    limit = "at most 2.0 us"
    return [
        _row("closed loop, null engine; a bare timed loop", cost["ours"], cost["bare"], "us/query", limit),
        _row("the same; a plain guarded loop", cost["ours"], cost["guarded"], "us/query", limit),
        _row("the same, answers of 100 hits; of 10", cost["of 100"], cost["ours"], "us/query"),
        _row("the same, 2 processes; 1 process", cost["processes"], cost["ours"], "us/query", limit),
        _row("of it within the timed section", cost["timed"], None, "us/query", "at most 0.25 us"),
    ]


def _open_loop(rate: int, server: Path, spin: Path) -> list[Row]:
    """One round: every tool once on the same offsets, then the C floor, all with the server spinning."""
    tools: dict[str, Client] = {
        "ours": partial(_ours, PipelinedStallEngine),
        "ours, threads": partial(_ours, StallEngine),
        "asyncio": lambda port, offsets: asyncio_client(port, offsets, _IN_FLIGHT),
        "threads": lambda port, offsets: threads_from_send(port, offsets, _POOL),
    }
    seen: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(_ROUNDS):
        offsets = poisson(rate, _SCHEDULE_S, np.random.default_rng([rate, number]))
        with StallServer(server) as running:
            for tool, client in tools.items():
                scheduled, sent, done = client(running.port, offsets)
                # What such tools report: only ours and asyncio's count from the schedule.
                reported = done - (sent if tool == "threads" else scheduled)
                for name, quantile in (("p99", 0.99), ("p999", 0.999)):
                    truth = percentile(true_latency_ns(scheduled), quantile)
                    value = percentile(reported, quantile)
                    seen[tool, name].append(value / 1e6)
                    seen[tool, f"true {name}"].append(truth / 1e6)
                    seen[tool, f"{name} error"].append(abs(value / truth - 1))
                _add_lateness(seen, tool, sent - scheduled)
            _add_lateness(seen, "C", _spin(spin, offsets))
    worst = {name: max(seen["ours", f"{name} error"]) for name in ("p99", "p999")}
    return _open_loop_rows(rate, {key: median(values) for key, values in seen.items()}, worst)


def _open_loop_rows(rate: int, mid: dict[tuple[str, str], float], worst: dict[str, float]) -> list[Row]:
    rows = []
    for name, label in (("p99", "P99"), ("p999", "P99.9")):
        what = f"{rate}/s, stalls: reported {label}; the truth"
        rows += [
            _row(what, mid["ours", name], mid["ours", f"true {name}"], "ms", "within 5 %, aim 2 %"),
            *(
                _row(f"  {title}", mid[tool, name], mid[tool, f"true {name}"], "ms")
                for tool, title in (
                    (
                        "ours, threads",
                        f"ours with {_IN_FLIGHT} threads, for an engine that must be waited for",
                    ),
                    ("asyncio", "asyncio"),
                    ("threads", f"{_POOL} threads, timed from the send"),
                )
            ),
            _row(
                f"  error of {label}; asyncio's",
                100 * mid["ours", f"{name} error"],
                100 * mid["asyncio", f"{name} error"],
                "%",
                f"worst of {_ROUNDS} rounds {worst[name]:.1%}",
            ),
            _row(
                f"  error of {label} with threads; asyncio's",
                100 * mid["ours, threads", f"{name} error"],
                100 * mid["asyncio", f"{name} error"],
                "%",
            ),
        ]
    late = f"{rate}/s: requests leave late by,"
    floor_note = "at most twice the floor" if rate == RATES[0] else "the floor is for comparison"
    return [
        *rows,
        _row(
            f"{late} median; asyncio",
            mid["ours", "late p50"],
            mid["asyncio", "late p50"],
            "us",
            "at most 60 us",
        ),
        _row(f"{late} median; queue and threads", mid["ours", "late p50"], mid["threads", "late p50"], "us"),
        _row(
            f"{late} median, with threads; asyncio",
            mid["ours, threads", "late p50"],
            mid["asyncio", "late p50"],
            "us",
        ),
        _row(f"{late} P99; asyncio", mid["ours", "late p99"], mid["asyncio", "late p99"], "us"),
        _row(
            f"{late} P99; a bare C spin loop", mid["ours", "late p99"], mid["C", "late p99"], "us", floor_note
        ),
        _row(
            f"{late} P99, with threads; a bare C spin loop",
            mid["ours, threads", "late p99"],
            mid["C", "late p99"],
            "us",
        ),
    ]


def _ours(
    kind: type[StallEngine | PipelinedStallEngine], port: int, offsets_ns: Int64
) -> tuple[Int64, Int64, Int64]:
    engine = kind(port)
    try:
        samples = open_loop(engine, null_workload(), offsets_ns, clients=_IN_FLIGHT, warmup_s=0.5)
    finally:
        engine.close()
    if len(samples) != len(offsets_ns) or samples.status.any():
        raise RuntimeError(
            f"{len(offsets_ns)} requests were due, got {len(samples)} samples: {samples.errors}"
        )
    return samples.scheduled_ns, samples.sent_ns, samples.done_ns


def _spin(program: Path, offsets_ns: Int64) -> Int64:
    """By how many ns a bare C loop that spins until each request is due is late."""
    done = subprocess.run([str(program)], input=offsets_ns.tobytes(), stdout=subprocess.PIPE, check=True)
    return np.frombuffer(done.stdout, dtype=np.int64)


def _add_lateness(seen: dict[tuple[str, str], list[float]], tool: str, late_ns: Int64) -> None:
    seen[tool, "late p50"].append(percentile(late_ns, 0.5) / 1e3)
    seen[tool, "late p99"].append(percentile(late_ns, 0.99) / 1e3)


def percentile(values: Int64, quantile: float) -> float:
    """The order statistic at rank ceil(n x quantile), as in reports."""
    rank = math.ceil(len(values) * quantile)
    return float(np.partition(values, rank - 1)[rank - 1])


if __name__ == "__main__":
    from tests.perf.table import show

    show(figures())
