"""The open loop through clients that can be asked without waiting: one thread that pipelines, and threads with query().

    python -m tests.perf.load_clients

Truth and schedule are those of load.py: the server answers 1 ms after a request arrives and stalls 200 ms every 5 s.
Each figure is of both ways in one run, in turns. CPU is that of the whole process a query, with the same number of
queries in flight, against a server that answers at once.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from select import select
from statistics import median
from threading import Thread
from typing import Any

import numpy as np

from harness.data.queries.workload import Workload
from harness.load.open_loop import open_loop
from harness.load.schedules import poisson
from tests.perf.clients import row
from tests.perf.load import percentile
from tests.perf.stall import StallServer, compile_c, true_latency_ns
from tests.perf.stall_clients import CLIENTS, DIM, Client

K, RATES = 10, (500, 2000)
_ROUNDS, _CPU_ROUNDS, _CPU_QUERIES = 3, 5, 2000
_SCHEDULE_S = 5.0
_CLIENTS = 512  # a stall of 200 ms at 2,000/s keeps 400 requests waiting
_FLIGHTS = (1, 16)
_QUERIES = np.random.default_rng(0).standard_normal((256, DIM), dtype=np.float32)
_WAYS = ("pipelined", "threads")

Seen = dict[tuple[str, str], list[float]]


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours (pipelined), reference (threads), ratio and unit; medians of interleaved rounds."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for client in CLIENTS:
            program = compile_c(client.program, Path(folder))
            rows += _cpu(client, program)
            for rate in RATES:
                rows += _open_loops(client, program, rate)
    return rows


def _open_loops(client: Client, program: Path, rate: int) -> list[dict[str, Any]]:
    seen: Seen = defaultdict(list)
    workload = Workload("none", _QUERIES, (None,) * len(_QUERIES), K)
    for number in range(_ROUNDS):
        offsets = poisson(rate, _SCHEDULE_S, np.random.default_rng([rate, number]))
        for way in _WAYS:
            with StallServer(program, *client.arguments) as server:
                engine = (client.engine if way == "pipelined" else client.threaded)(server.port)
                try:
                    samples = open_loop(engine, workload, offsets, clients=_CLIENTS, warmup_s=0.5)
                finally:
                    engine.close()
            if len(samples) != len(offsets) or samples.status.any():
                raise RuntimeError(f"{len(offsets)} were due, got {len(samples)}: {samples.errors}")
            truth, reported = true_latency_ns(samples.scheduled_ns), samples.done_ns - samples.scheduled_ns
            late = samples.sent_ns - samples.scheduled_ns
            for label, quantile in (("P99", 0.99), ("P99.9", 0.999)):
                error = abs(percentile(reported, quantile) / percentile(truth, quantile) - 1)
                seen[way, f"error of {label}; %"].append(100 * error)
            seen[way, "median latency above the truth; us"].append(percentile(reported - truth, 0.5) / 1e3)
            seen[way, "requests leave late by, median; us"].append(percentile(late, 0.5) / 1e3)
            seen[way, "requests leave late by, P99; us"].append(percentile(late, 0.99) / 1e3)
    return _rows(f"{client.name}, {rate}/s, stalls:", seen)


def _rows(name: str, seen: Seen) -> list[dict[str, Any]]:
    """Rows of pipelined and threads; keys end with their unit."""
    found = []
    for key in dict.fromkeys(key for _, key in seen):
        label, unit = key.split("; ")
        ours, theirs = (seen[way, key] for way in _WAYS)
        spread = ", ".join(f"{one:.3g}/{other:.3g}" for one, other in zip(ours, theirs, strict=True))
        found.append(row(f"{name} {label}; threads", median(ours), median(theirs), unit, f"rounds: {spread}"))
    return found


def _cpu(client: Client, program: Path) -> list[dict[str, Any]]:
    seen: Seen = defaultdict(list)
    with StallServer(program, *client.arguments, service_ns=0, stall_ns=0) as server:
        engine = client.engine(server.port)
        for number in range(_CPU_ROUNDS + 1):  # the first connects
            for flights in _FLIGHTS:
                for way, ask in (("pipelined", _pipelined), ("threads", _threads)):
                    cost = _cost_us(lambda ask=ask, flights=flights: ask(engine, flights))  # type: ignore[misc]
                    if number:
                        seen[way, f"CPU a query, {flights} in flight; us"].append(cost)
        engine.close()
    return _rows(f"{client.name}:", seen)


def _cost_us(ask: Callable[[], None]) -> float:
    start = time.process_time_ns()
    ask()
    return (time.process_time_ns() - start) / 1e3 / _CPU_QUERIES


def _pipelined(engine: Any, flights: int) -> None:
    sent = answered = 0
    while answered < _CPU_QUERIES:
        while sent < _CPU_QUERIES and sent - answered < flights:
            engine.submit(sent, _QUERIES[sent % len(_QUERIES)], K)
            sent += 1
        select((engine,), (), ())
        for _, hits in engine.collect():
            assert len(hits.ids) == K
            answered += 1


def _threads(engine: Any, flights: int) -> None:
    def ask(first: int) -> None:
        for number in range(first, _CPU_QUERIES, flights):
            assert len(engine.query(_QUERIES[number % len(_QUERIES)], K).ids) == K

    threads = [Thread(target=ask, args=(number,)) for number in range(flights)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    from tests.perf.table import show

    show(figures())
