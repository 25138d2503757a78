"""One session, in a process of its own: build an engine's index, then measure every cell on it.

A process of its own gives each engine its own memory and CPU accounting and a clean start, and lets the
others go on when one crashes, hangs or is killed for memory.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from engines.base import UnsupportedError
from engines.registry import load
from harness.bench import Bench
from harness.corpus import Corpus
from harness.indexing import Span, measure_index
from harness.parameters import index_params
from harness.plan import SearchCell, Session, blank, search_cells
from harness.result import Measurement
from harness.scenario import IndexTask, Scenario, SearchTask
from harness.searching import measure_search, operating_point
from harness.updates import measure_updates


class Send(Protocol):
    """How a session reports: ("at", what) on the way, ("cell", Measurement, span or None) when one is measured."""

    def __call__(self, kind: str, *values: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Job:
    """What a session is to do. known: the cells measured before, by key; they are not repeated."""

    scenario: Scenario
    session: Session
    run: Path
    known: dict[str, Measurement] = field(default_factory=dict)


def run_session(job: Job, corpus: Corpus, send: Send) -> None:
    """Measures the cells of a session that are not known yet, sending each as soon as it is measured.

    A cell that fails is sent with its error and the others go on; without a sound index all fail alike.
    """
    session = job.session
    kind = load(session.adapter)
    path = job.run / "engines" / hashlib.sha256(session.key.encode()).hexdigest()[:12]
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    engine = kind(path, index_params(kind, session.index, session.label))
    try:
        _measure(job, Bench(job.scenario, session, engine, corpus), send)
    finally:
        engine.close()
        shutil.rmtree(path, ignore_errors=True)


def _measure(job: Job, bench: Bench, send: Send) -> None:
    tasks = job.scenario.tasks
    index_task = next(task for task in tasks if isinstance(task, IndexTask))
    send("at", f"{job.session.label}: {index_task.name}")
    index = _attempt(job, blank(job.session, index_task), lambda: measure_index(bench, index_task), send)
    measured = list(job.known.values())
    for task in tasks:
        if isinstance(task, IndexTask):
            continue
        cells: list[Any] = [task]
        if isinstance(task, SearchTask):
            cells = list(search_cells(task, bench.corpus.filters, job.session.searches))
        for cell in cells:
            if isinstance(cell, SearchCell) and cell.search is None:
                cell = _at_operating_point(job, cell, measured)
            send("at", f"{job.session.label}: {task.name}")
            empty = blank(job.session, cell)
            if empty.key in job.known:
                continue
            if index.error:
                send("cell", empty.model_copy(update={"error": f"not measured, the index is unusable: {index.error}"}), None)
                continue
            measured.append(_attempt(job, empty, _measurer(job, bench, cell, empty), send))


def _measurer(job: Job, bench: Bench, cell: Any, empty: Measurement) -> Callable[[], tuple[Measurement, Span]]:
    if isinstance(cell, SearchCell):
        name = hashlib.sha256(empty.key.encode()).hexdigest()[:16]
        return lambda: measure_search(bench, cell, job.run / "samples" / f"{name}.parquet")
    return lambda: measure_updates(bench, cell)


def _attempt(
    job: Job, empty: Measurement, measure: Callable[[], tuple[Measurement, Span]], send: Send
) -> Measurement:
    """Measures and sends one cell; an exception becomes the cell's error."""
    span: Span | None = None
    try:
        measurement, span = measure()
    except UnsupportedError as error:
        measurement = empty.model_copy(update={"error": f"unsupported: {error}"})
    except Exception as error:  # noqa: BLE001  whatever a client library raises concerns this cell only
        measurement = empty.model_copy(update={"error": f"{type(error).__name__}: {error}"})
    if measurement.key not in job.known:
        send("cell", measurement, span)
    return measurement


def _at_operating_point(job: Job, cell: SearchCell, measured: list[Measurement]) -> SearchCell:
    scenario, session = job.scenario, job.session
    mine = [
        other
        for other in measured
        if (other.engine, other.trial, other.kind, other.executor, other.error)
        == (session.label, session.trial, "search", "closed_loop", None)
        and other.params["index"] == session.index
    ]
    floors = [t.limit for t in scenario.decision.thresholds if t.metric in ("recall", f"recall_at_{scenario.k}")]
    point = operating_point(mine, max(floors, default=0.0), scenario.k) or session.searches[0]
    return SearchCell(cell.task, cell.filter, point, cell.rate)
