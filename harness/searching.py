"""The search task: one window under load for each filter, search parameter and rate."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from engines.base import UnsupportedError
from harness.arrivals import constant, poisson
from harness.bench import Bench
from harness.indexing import Span
from harness.load import closed_loop, open_loop
from harness.metrics import summarize
from harness.parameters import search_params
from harness.plan import Params, SearchCell, blank
from harness.resources import cpu_s
from harness.result import Measurement
from harness.samples import OK, Samples, write_samples
from harness.scenario import SearchTask
from harness.workload import Workload

DRAIN_S = 1.0  # how long an open loop waits for answers after its last request was due


def measure_search(bench: Bench, cell: SearchCell, samples_file: Path) -> tuple[Measurement, Span]:
    """Warms up, measures one window, then judges its answers; the samples are kept in `samples_file`."""
    task, engine = cell.task, bench.engine
    _check_supported(bench, task)
    engine.configure(search_params(type(engine), cell.search or {}, bench.session.label))
    workload = bench.corpus.workloads[cell.filter]
    if task.warmup_s:
        _drive(bench, workload, cell, task.warmup_s)
    start_cpu_s = cpu_s()
    samples, offered_s = _drive(bench, workload, cell, task.duration_s)
    used_cpu_s = cpu_s() - start_cpu_s
    metrics, reasons = summarize(
        samples, bench.judge(cell.filter, samples), k=workload.k, offered_s=offered_s
    )
    succeeded = int((samples.status == OK).sum())
    metrics["cpu_s"] = used_cpu_s
    metrics["cpu_s_per_1000"] = used_cpu_s / succeeded * 1000 if succeeded else None
    if not succeeded:
        reasons["cpu_s_per_1000"] = "no query succeeded"
    samples_file.parent.mkdir(exist_ok=True)
    write_samples(samples_file, samples)
    measurement = blank(bench.session, cell).model_copy(
        update={"metrics": metrics, "reasons": reasons, "samples": f"samples/{samples_file.name}"}
    )
    return measurement, (int(samples.scheduled_ns.min()), int(samples.done_ns.max()))


def _check_supported(bench: Bench, task: SearchTask) -> None:
    can = bench.engine.capabilities
    if task.clients > 1 and task.processes == 1 and not can.thread_safe:
        raise UnsupportedError(
            "its queries may not run in several threads, so several clients cannot share it"
        )
    if task.processes > 1 and not can.multi_process:
        raise UnsupportedError("several processes cannot share it: it lives inside one process")


def _drive(
    bench: Bench, workload: Workload, cell: SearchCell, duration_s: float
) -> tuple[Samples, float | None]:
    """One window of load, and the schedule's length in seconds for an open loop."""
    task = cell.task
    seed = bench.scenario.seed + bench.session.trial
    if cell.rate is None:
        window = closed_loop(
            bench.engine,
            workload,
            clients=task.clients,
            duration_s=duration_s,
            max_queries=task.max_queries,
            timeout_s=task.timeout_s,
            seed=seed,
        )
        return window, None
    rng = np.random.default_rng(seed)
    schedule_ns = (
        poisson(cell.rate, duration_s, rng) if task.arrivals == "poisson" else constant(cell.rate, duration_s)
    )
    window = open_loop(
        bench.engine,
        workload,
        schedule_ns[: task.max_queries],
        clients=task.clients,
        timeout_s=task.timeout_s,
        drain_s=DRAIN_S,
        seed=seed,
    )
    return window, duration_s


def operating_point(cells: Iterable[Measurement], floor: float, k: int) -> Params | None:
    """The search parameters with the highest throughput (harmonic mean over the filters) among those whose
    recall reached `floor` on every filter; failing that, those of the highest worst recall. None without cells.
    """
    by_params: dict[str, list[Measurement]] = {}
    for cell in cells:
        by_params.setdefault(repr(sorted(cell.params["search"].items())), []).append(cell)
    scored = []
    for group in by_params.values():
        recall = min(cell.metrics.get(f"recall_at_{k}") or 0.0 for cell in group)
        rates = [cell.metrics.get("throughput_qps") or 0.0 for cell in group]
        qps = 0.0 if min(rates) <= 0 else len(rates) / sum(1 / rate for rate in rates)
        scored.append((recall >= floor, qps if recall >= floor else recall, group[0].params["search"]))
    return max(scored, key=lambda entry: entry[:2])[2] if scored else None
