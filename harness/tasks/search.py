"""The search task: one window under load for each filter, search parameter and rate."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from engines.base import Engine, Schema, UnsupportedError
from engines.registry import load as load_engine
from harness.data.workload import Workload
from harness.errors import MeasurementError
from harness.load.closed_loop import closed_loop
from harness.load.open_loop import open_loop
from harness.load.processes import drive_processes, split_closed_loop, split_open_loop
from harness.load.schedules import constant, poisson
from harness.machine.usage import Cpu
from harness.results.result import Measurement
from harness.results.samples import ERROR, OK, Samples, write_samples
from harness.results.summary import summarize
from harness.scenario.parameters import index_params, search_params
from harness.scenario.plan import Params, SearchCell, Session, blank
from harness.scenario.specs import SearchTask
from harness.tasks.bench import Bench
from harness.tasks.index import Span

DRAIN_S = 1.0  # how long an open loop waits for answers after its last request was due


def measure_search(bench: Bench, cell: SearchCell, samples_file: Path) -> tuple[Measurement, Span]:
    """Warms up, measures one window, then judges its answers; the samples are kept in `samples_file`."""
    task, engine = cell.task, bench.engine
    _check_supported(bench, task)
    engine.configure(search_params(type(engine), cell.search or {}, bench.session.label))
    workload = bench.corpus.workloads[cell.filter]
    if task.warmup_s and task.processes == 1:  # apart, so that its CPU time is not counted
        _drive(bench, cell, workload, task.warmup_s)
    cpu = Cpu(bench.meter)
    samples = _drive(bench, cell, workload, task.duration_s, cpu.restart)
    used, missing = cpu.figures()
    if not len(samples):
        raise MeasurementError(f"no query was due within {task.duration_s:g} s; raise rate or duration_s")
    if (samples.status == ERROR).all():
        raise MeasurementError(f"every query failed: {max(samples.errors, key=samples.errors.__getitem__)}")
    offered_s = None if cell.rate is None else task.duration_s
    metrics, reasons = summarize(
        samples, bench.judge(cell.filter, samples), k=workload.k, offered_s=offered_s
    )
    succeeded = int((samples.status == OK).sum())
    metrics |= used
    reasons |= missing
    for name, seconds in used.items():
        metrics[f"{name}_per_1000"] = (
            seconds / succeeded * 1000 if succeeded and seconds is not None else None
        )
        if metrics[f"{name}_per_1000"] is None:
            reasons[f"{name}_per_1000"] = missing.get(name, "no query succeeded")
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
        raise UnsupportedError("several client processes cannot share it: it lives inside one process")


def _drive(
    bench: Bench,
    cell: SearchCell,
    workload: Workload,
    duration_s: float,
    warm: Callable[[], None] = lambda: None,
) -> Samples:
    """One window of load, from threads of this process or from processes with an engine each.

    warm: called when processes have warmed up, as nearly as their common clock allows.
    """
    task, seed = cell.task, bench.scenario.seed + bench.session.trial
    load: dict[str, Any] = {"workload": workload, "timeout_s": task.timeout_s, "seed": seed}
    if cell.rate is None:
        load |= {"duration_s": duration_s, "max_queries": task.max_queries}
        drive: Any = closed_loop if task.processes == 1 else split_closed_loop
    else:
        rng = np.random.default_rng(seed)
        poisson_ns = task.arrivals == "poisson"
        schedule_ns = poisson(cell.rate, duration_s, rng) if poisson_ns else constant(cell.rate, duration_s)
        load |= {"schedule_ns": schedule_ns[: task.max_queries], "drain_s": DRAIN_S}
        drive = open_loop if task.processes == 1 else split_open_loop
    if task.processes == 1:
        samples: Samples = drive(bench.engine, clients=task.clients, **load)
        return samples
    opener = partial(reopen, bench.session, cell.search or {}, bench.path, bench.corpus.dataset.schema)
    plans = drive(
        processes=task.processes, clients=max(task.clients, task.processes), warmup_s=task.warmup_s, **load
    )
    return drive_processes(opener, plans, warmup_s=task.warmup_s, warm=warm)


def reopen(session: Session, search: Params, path: Path, schema: Schema) -> Engine:
    """The session's engine, opened once more by a client process."""
    kind = load_engine(session.adapter)
    engine = kind(path, index_params(kind, session.index, session.label))
    engine.open(schema)
    engine.configure(search_params(kind, search, session.label))
    return engine


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
