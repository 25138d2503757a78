"""One session, in a process of its own: build an engine's index, then measure every cell on it.

A process of its own gives each engine its own memory and CPU accounting and a clean start, and lets the
others go on when one crashes, hangs or is killed for memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from engines.abilities import Remote
from engines.base import Engine, UnsupportedError
from engines.registry import load
from harness.machine.meters import Meter, OwnProcess
from harness.oracle.corpus import Corpus
from harness.results.result import Measurement
from harness.run.from_engines import error_text
from harness.scenario.parameters import index_params
from harness.scenario.plan import Params, SearchCell, Session, blank, search_cells
from harness.scenario.specs import IndexTask, Scenario, SearchTask, UpdateTask
from harness.tasks.bench import Bench
from harness.tasks.index import Span, measure_index
from harness.tasks.search import measure_search, operating_point
from harness.tasks.updates import measure_updates

Measure = Callable[[], tuple[Measurement, Span]]


class Send(Protocol):
    """How a session reports: ("at", what) on the way, ("server", name and version, query path) once they are known,
    and ("cell", Measurement, span or None) when one is measured.
    """

    def __call__(self, kind: str, *values: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Job:
    """What a session is to do. known: the cells measured before, by key; they are not repeated.

    settings: environment variables in which the adapter finds its server. meter: what the engine uses.
    """

    scenario: Scenario
    session: Session
    run: Path
    known: dict[str, Measurement] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    meter: Meter = field(default_factory=OwnProcess)


def engine_folder(job: Job) -> Path:
    """Where the session's engine keeps its data."""
    return job.run / "engines" / hashlib.sha256(job.session.key.encode()).hexdigest()[:12]


def run_session(job: Job, corpus: Corpus, send: Send) -> None:
    """Measures the cells of a session that are not known yet, sending each as soon as it is measured.

    A cell that fails is sent with its error and the others go on; without a sound index all fail alike.
    """
    session = job.session
    kind = load(session.adapter)
    path = engine_folder(job)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    engine = kind(path, index_params(kind, session.index, session.label))
    try:
        bench = Bench(job.scenario, session, path, engine, corpus, job.meter)
        _Course(job, bench, send, list(job.known.values())).run()
    finally:
        _leave(engine)
        shutil.rmtree(path, ignore_errors=True)


def _leave(engine: Engine) -> None:
    """Lets go of the engine and of what it keeps on a server."""
    if not isinstance(engine, Remote):
        engine.close()
        return
    # A server that does not answer any more has failed its cells already. What it keeps is dropped when a
    # collection of this name is created again.
    with contextlib.suppress(Exception):
        engine.drop()


@dataclass(slots=True)
class _Course:
    """The cells of a session, one after the other. measured grows: it tells where the operating point is."""

    job: Job
    bench: Bench
    send: Send
    measured: list[Measurement]

    def run(self) -> None:
        scenario, session = self.job.scenario, self.job.session
        index_task = next(task for task in scenario.tasks if isinstance(task, IndexTask))
        empty = blank(session, index_task)
        index = self.attempt(empty, lambda: measure_index(self.bench, index_task))
        if index.error is None and (stats := self.bench.engine.stats()).server:
            self.send("server", stats.server, stats.query_path)
        for task in scenario.tasks:
            if isinstance(task, SearchTask):
                for planned in search_cells(task, self.bench.corpus.filters, session.searches):
                    self.search(planned, index.error)
            elif isinstance(task, UpdateTask):
                self.update(task, index.error)

    def search(self, cell: SearchCell, obstacle: str | None) -> None:
        if cell.search is None:
            cell = replace(cell, search=self.operating_point())
        empty = blank(self.job.session, cell)
        name = hashlib.sha256(empty.key.encode()).hexdigest()[:16]
        samples = self.job.run / "samples" / f"{name}.parquet"
        self.unless(obstacle, empty, lambda: measure_search(self.bench, cell, samples))

    def update(self, task: UpdateTask, obstacle: str | None) -> None:
        self.unless(obstacle, blank(self.job.session, task), lambda: measure_updates(self.bench, task))

    def unless(self, obstacle: str | None, empty: Measurement, measure: Measure) -> None:
        """Measures a cell, unless it is known or the index is unusable."""
        if empty.key in self.job.known:
            return
        if obstacle:
            error = f"not measured, the index is unusable: {obstacle}"
            self.send("cell", empty.model_copy(update={"error": error}), None)
            return
        self.measured.append(self.attempt(empty, measure))

    def attempt(self, empty: Measurement, measure: Measure) -> Measurement:
        """Measures and sends one cell; an exception becomes the cell's error."""
        self.send("at", f"{empty.engine}: {empty.task}")
        span: Span | None = None
        try:
            measurement, span = measure()
        except UnsupportedError as error:
            measurement = empty.model_copy(update={"error": f"unsupported: {error}"})
        except Exception as error:  # noqa: BLE001  whatever a client library raises concerns this cell only
            measurement = empty.model_copy(update={"error": error_text(error)})
        if (
            measurement.key not in self.job.known
        ):  # an index is rebuilt for what is missing, not measured again
            self.send("cell", measurement, span)
        return measurement

    def operating_point(self) -> Params:
        """The setting for what is measured at one point only, from this session's closed loops."""
        scenario, session = self.job.scenario, self.job.session
        wanted = (session.label, session.trial, session.index, "closed_loop", None)
        mine = [
            cell
            for cell in self.measured
            if (cell.engine, cell.trial, cell.params.get("index"), cell.executor, cell.error) == wanted
        ]
        recall = ("recall", f"recall_at_{scenario.k}")
        floor = max((t.limit for t in scenario.decision.thresholds if t.metric in recall), default=0.0)
        return operating_point(mine, floor, scenario.k) or session.searches[0]
