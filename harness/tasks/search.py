"""The search task: one window under load for each filter, search parameter and rate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
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
from harness.load.schedules import SCHEDULES
from harness.machine.usage import Cpu
from harness.results.result import Measurement
from harness.results.samples import ERROR, OK, Samples, told_errors, write_samples
from harness.results.summary import summarize
from harness.scenario.cells import Params, PlannedCell
from harness.scenario.parameters import index_params, search_params
from harness.scenario.plan import Session, blank
from harness.scenario.tasks import SearchTask
from harness.tasks.bench import Bench, Span

DRAIN_S = 1.0  # how long an open loop waits for answers after its last request was due


def measure_search(bench: Bench, task: SearchTask, cell: PlannedCell) -> tuple[Measurement, Span]:
    """Warms up, measures one window, then judges its answers; the samples are kept in a file of their own."""
    engine, rate = bench.engine, cell.load.get("rate")
    _check_supported(bench, task)
    engine.configure(search_params(type(engine), cell.search or {}, bench.session.label))
    workload = bench.workload(cell.filter, "measuring")
    if task.warmup_s and task.processes == 1:  # apart, so that its CPU time is not counted
        _drive(bench, task, cell, bench.workload(cell.filter, "warming"), duration_s=task.warmup_s)
    cpu = Cpu(bench.meter)
    samples = _drive(bench, task, cell, workload, duration_s=task.duration_s, warm=cpu.restart)
    used, missing = cpu.figures()
    if not len(samples):
        raise MeasurementError(f"no query was due within {task.duration_s:g} s; raise rate or duration_s")
    if (samples.status == ERROR).all():
        raise MeasurementError(f"every query failed: {told_errors(samples)}")
    offered_s = None if rate is None else task.duration_s
    metrics, reasons = summarize(
        samples, bench.judge(cell.filter, "measuring", samples), k=workload.k, offered_s=offered_s
    )
    succeeded = int((samples.status == OK).sum())
    metrics |= used
    reasons |= missing
    if told := told_errors(samples):
        reasons["errors"] = told
    for name, seconds in used.items():
        metrics[f"{name}_per_1000"] = (
            seconds / succeeded * 1000 if succeeded and seconds is not None else None
        )
        if metrics[f"{name}_per_1000"] is None:
            reasons[f"{name}_per_1000"] = missing.get(name, "no query succeeded")
    empty = blank(bench.session, cell)
    samples_file = bench.samples / f"{hashlib.sha256(empty.key.encode()).hexdigest()[:16]}.parquet"
    samples_file.parent.mkdir(exist_ok=True)
    # In the file queries have their numbers in the dataset.
    write_samples(samples_file, replace(samples, query=bench.roles.measuring[samples.query]))
    measurement = empty.model_copy(
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
    task: SearchTask,
    cell: PlannedCell,
    workload: Workload,
    *,
    duration_s: float,
    warm: Callable[[], None] = lambda: None,
) -> Samples:
    """One window of load, from threads of this process or from processes with an engine each.

    warm: called when processes have warmed up, as nearly as their common clock allows.
    """
    rate, seed = cell.load.get("rate"), bench.scenario.seed + bench.session.trial
    load: dict[str, Any] = {"workload": workload, "timeout_s": task.timeout_s, "seed": seed}
    if rate is None:
        load |= {"duration_s": duration_s, "max_queries": task.max_queries}
        drive: Any = closed_loop if task.processes == 1 else split_closed_loop
    else:
        rng = np.random.default_rng(seed)
        schedule_ns = SCHEDULES[task.arrivals](rate, duration_s, rng)
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
