"""What this machine and our own client can do: smaller figures of an engine mean nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import cycle, islice
from statistics import median
from threading import Thread
from time import get_clock_info, perf_counter_ns, sleep
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.base import Engine
from harness.calibration.null_engine import NullEngine, SleepingEngine
from harness.data.queries.workload import Workload
from harness.load.clients import quiet_interpreter, sharpen_sleep
from harness.load.closed_loop import closed_loop
from harness.load.open_loop import open_loop
from harness.load.operations import Query
from harness.load.processes import drive_processes, split_closed_loop
from harness.load.schedules import poisson
from harness.machine.environment import describe_environment
from harness.machine.noise import NoiseMonitor
from harness.results.samples import Samples

RATES = (500, 2000)  # requests/s at which lateness is measured
_QUERIES, _DIM, _K = 1000, 128, 10
_SERVICE_S = 0.001
_CLIENTS = 64
_QUANTILES = {"p50": 50, "p99": 99, "p999": 99.9}


def client_ceiling(rounds: int = 3) -> float:
    """Queries per second of one closed-loop client process when the engine takes no time; about 0.2 s."""
    return 1e9 / median(query_cost_ns(closed_loop_samples(50_000)) for _ in range(rounds))


def open_loop_ceiling(rounds: int = 3) -> float:
    """Requests per second an open loop can send when all are due at once and the engine takes no time."""
    due = np.zeros(20_000, dtype=np.int64)
    return median(
        1e9 / query_cost_ns(open_loop(NullEngine(), null_workload(), due, clients=2)) for _ in range(rounds)
    )


def calibrate(quick: bool = False) -> dict[str, Any]:
    """Every figure of the client and the machine, ready for JSON; about 20 s, or 5 s if `quick`.

    Times of the load loop are of an engine that does nothing; lateness (sent - scheduled) is that of 64
    clients of an engine that sleeps 1 ms. `noise` is that of the machine while all this was measured.
    """
    rounds, count, lateness_s = (3, 20_000, 0.5) if quick else (9, 100_000, 5.0)
    start_ns = perf_counter_ns()
    with NoiseMonitor() as monitor:
        closed = _closed_loop_costs(rounds, count)
        lateness = {str(rate): send_lateness(rate, lateness_s) for rate in RATES}
        sleeps = _sleep_overshoot(100 if quick else 500)
        ceilings = {"closed_loop_qps": client_ceiling(rounds), "open_loop_qps": open_loop_ceiling(rounds)}
        noise = monitor.window(start_ns, perf_counter_ns())
    environment = describe_environment()
    return {
        "cpu": environment["cpu"],
        "cores": environment["cores"],
        "clock": _clock(),
        "closed_loop": closed,
        "client_ceiling": ceilings,
        "send_lateness_us": lateness,
        "sleep_overshoot_us": sleeps,
        "noise": {
            "steal_share": noise.steal_share,
            "oversleep_p99_us": noise.oversleep_p99_us,
            "oversleep_max_us": noise.oversleep_max_us,
            "reasons": noise.reasons,
        },
        "calibration_s": (perf_counter_ns() - start_ns) / 1e9,
    }


def null_workload() -> Workload:
    """Queries for an engine that does not look at them."""
    queries = np.random.default_rng(0).random((_QUERIES, _DIM), dtype=np.float32)
    return Workload("none", queries, (None,) * _QUERIES, _K)


def query_cost_ns(samples: Samples) -> float:
    """Time per query of one client that is never idle: first sent to last done, divided by the queries."""
    return float(samples.done_ns.max() - samples.sent_ns.min()) / len(samples)


def closed_loop_samples(count: int, k: int = _K) -> Samples:
    """`count` queries for k items through our closed loop, one client."""
    workload = replace(null_workload(), k=k)
    return closed_loop(NullEngine(k=k), workload, duration_s=60, max_queries=count, warmup_s=0.01)


def cost_in_processes_ns(count: int, processes: int = 2) -> float:
    """Time per query in ns and client of `processes` client processes at once, `count` queries each."""
    plans = split_closed_loop(
        null_workload(),
        processes=processes,
        clients=processes,
        duration_s=60,
        max_queries=count * processes,
        warmup_s=0.05,
    )
    samples = drive_processes(NullEngine, plans)
    sent, done = samples.sent_ns, samples.done_ns
    own = [samples.client == client for client in range(processes)]
    return float(np.mean([(done[mask].max() - sent[mask].min()) / mask.sum() for mask in own]))


def bare_cost_ns(count: int) -> float:
    """Time per query of the smallest possible timed loop: two clock readings, one difference kept."""
    return _reference_cost_ns(count, _bare)


def guarded_cost_ns(count: int) -> float:
    """The same loop, which also keeps both times, the query and the hits, and catches exceptions."""
    return _reference_cost_ns(count, _guarded)


def _bare(engine: Engine, queries: Sequence[Query]) -> None:
    times = []
    for query in queries:
        start_ns = perf_counter_ns()
        engine.query(query.vector, _K, query.where)
        times.append(perf_counter_ns() - start_ns)


def _guarded(engine: Engine, queries: Sequence[Query]) -> None:
    records: list[tuple[int, int, int, Any, str | None]] = []
    for query in queries:
        error = hits = None
        start_ns = perf_counter_ns()
        try:
            hits = engine.query(query.vector, _K, query.where)
        except Exception as problem:  # noqa: BLE001  the loop that it is compared with catches everything too
            error = repr(problem)
        records.append((query.number, start_ns, perf_counter_ns(), hits, error))


def _reference_cost_ns(count: int, loop: Callable[[Engine, Sequence[Query]], None]) -> float:
    workload = null_workload()
    once = [Query(number, vector) for number, vector in enumerate(workload.queries)]
    queries = list(islice(cycle(once), count))
    engine = NullEngine()
    with quiet_interpreter():
        start_ns = perf_counter_ns()
        loop(engine, queries)
        return (perf_counter_ns() - start_ns) / count


def timed_section_ns(samples: Samples, empty_call_ns: float) -> float:
    """What the loop adds between its two clock readings: the median service time less the call itself."""
    return float(np.median(samples.service_time_ns)) - empty_call_ns


def empty_call_ns(count: int) -> float:
    """Time of one call of the null engine's `query`, without any measuring."""
    query, vector = NullEngine().query, null_workload().queries[0]
    start_ns = perf_counter_ns()
    for _ in range(count):
        query(vector, _K, None)
    called_ns = perf_counter_ns() - start_ns
    start_ns = perf_counter_ns()
    for _ in range(count):
        pass
    return (called_ns - (perf_counter_ns() - start_ns)) / count


def _closed_loop_costs(rounds: int, count: int) -> dict[str, float]:
    """Medians of interleaved rounds, in us per query."""
    costs: dict[str, list[float]] = {"bare_us": [], "guarded_us": [], "ours_us": [], "timed_section_us": []}
    for _ in range(rounds):
        samples = closed_loop_samples(count)
        costs["bare_us"].append(bare_cost_ns(count) / 1e3)
        costs["guarded_us"].append(guarded_cost_ns(count) / 1e3)
        costs["ours_us"].append(query_cost_ns(samples) / 1e3)
        costs["timed_section_us"].append(timed_section_ns(samples, empty_call_ns(count)) / 1e3)
    return {name: median(values) for name, values in costs.items()} | {
        "ours_2_processes_us": cost_in_processes_ns(count) / 1e3
    }


def send_lateness(rate_per_s: float, duration_s: float) -> dict[str, float]:
    """How late the open loop's requests leave, in us, for Poisson arrivals and an engine that sleeps 1 ms."""
    schedule_ns = poisson(rate_per_s, duration_s, np.random.default_rng(0))
    engine = SleepingEngine(service_s=_SERVICE_S)
    samples = open_loop(engine, null_workload(), schedule_ns, clients=_CLIENTS, warmup_s=0.1)
    return _percentiles_us(samples.lateness_ns)


def _sleep_overshoot(count: int) -> dict[str, float]:
    """By how much sleeps of 1 ms overshoot, in us, with the timer slack of our clients."""
    overshoot_ns = []

    def sleeper() -> None:
        sharpen_sleep()
        for _ in range(count):
            start_ns = perf_counter_ns()
            sleep(0.001)
            overshoot_ns.append(perf_counter_ns() - start_ns - 1_000_000)

    thread = Thread(target=sleeper)  # the timer slack is a thread's own
    thread.start()
    thread.join()
    return _percentiles_us(np.array(overshoot_ns))


def _percentiles_us(values_ns: npt.NDArray[Any]) -> dict[str, float]:
    return {name: float(np.percentile(values_ns, q)) / 1e3 for name, q in _QUANTILES.items()}


def _clock() -> dict[str, float]:
    readings = np.array([perf_counter_ns() for _ in range(20_000)])
    steps = np.diff(readings)
    return {
        "resolution_ns": get_clock_info("perf_counter").resolution * 1e9,
        "smallest_step_ns": int(steps[steps > 0].min()),
        "cost_ns": float(np.median(steps)),
    }
