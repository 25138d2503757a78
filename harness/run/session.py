"""One session, in a process of its own: build an engine's index, then measure every cell on it.

A process of its own gives each engine its own memory and CPU accounting and a clean start, and lets the
others go on when one crashes, hangs or is killed for memory.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol

from engines.abilities import Remote
from engines.base import Engine, EngineError, UnsupportedError
from engines.registry import load
from harness.machine.meters import Meter, OwnProcess
from harness.oracle.corpus import Corpus
from harness.results.result import UNSUPPORTED, Measurement
from harness.results.text import message_of
from harness.run.from_engines import error_text
from harness.scenario.cells import PlannedCell
from harness.scenario.parameters import index_params
from harness.scenario.plan import Session, blank, identity, task_cells
from harness.scenario.specs import Scenario
from harness.scenario.tasks import Task
from harness.tasks.bench import Bench, Span
from harness.tasks.operating_point import choose
from harness.tasks.registry import TASKS

KILL_SERVER = "kill the server and start it again"  # a question to the run


class Send(Protocol):
    """How a session reports: ("at", what) on the way, ("server", name and version, query path) once they are known,
    ("cell", Measurement, span or None) when one is measured, and ("closing",) before the engine is closed.
    """

    def __call__(self, kind: str, *values: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class Job:
    """What a session is to do. known: the cells measured before, by key; they are not repeated.

    settings: environment variables in which the adapter finds its server. meter: what the engine uses. can_kill: the
    run can kill the server and start it again on the same data, when it is asked to.
    """

    scenario: Scenario
    session: Session
    run: Path
    known: dict[str, Measurement] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    meter: Meter = field(default_factory=OwnProcess)
    can_kill: bool = False


def engine_folder(job: Job) -> Path:
    """Where the session's engine keeps its data. What else the session keeps is beside it, in the same folder."""
    name = hashlib.sha256(job.session.key.encode()).hexdigest()[:12]
    return job.run / "engines" / name / name


def run_session(job: Job, corpus: Corpus, send: Send, ask: Callable[[str], Any]) -> None:
    """Measures the cells of a session that are not known yet, sending each as soon as it is measured.

    A cell that fails is sent with its error and the others go on; without a complete index every cell fails. ask: puts
    a question to the run and returns its answer.
    """
    session = job.session
    kind = load(session.adapter)
    path = engine_folder(job)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    bench = Bench(
        job.scenario,
        session,
        path,
        kind(path, index_params(kind, session.index, session.label)),
        corpus,
        job.meter,
        job.run / "samples",
        list(job.known.values()),
        kill_server=partial(_kill_server, ask) if job.can_kill else None,
    )
    try:
        _Measuring(job, bench, send).run()
    finally:
        send("closing")
        _leave(bench.engine)
        shutil.rmtree(path, ignore_errors=True)


def _kill_server(ask: Callable[[str], Any]) -> Meter:
    """Has the run kill the server and start it again; adapters then find the new one. Raises EngineError."""
    answer = ask(KILL_SERVER)
    if isinstance(answer, str):
        raise EngineError(answer)
    settings, meter = answer
    os.environ.update(settings)
    return meter  # type: ignore[no-any-return]


def _leave(engine: Engine) -> None:
    """Closes the engine, and drops what it keeps on a server."""
    if not isinstance(engine, Remote):
        engine.close()
        return
    # A server that does not answer any more has failed its cells already. What it keeps is dropped when a
    # collection of this name is created again.
    with contextlib.suppress(Exception):
        engine.drop()


@dataclass(slots=True)
class _Measuring:
    """Measures the cells of a session, one after the other."""

    job: Job
    bench: Bench
    send: Send
    obstacle: str | None = None  # why nothing can be measured: the index is unusable

    def run(self) -> None:
        tasks = self.job.scenario.ordered_tasks
        for place, task in enumerate(tasks):
            # A task that changes the items is run again where a later cell is missing, which is judged by these items.
            again = task.builds or (task.changes_items and any(map(self.is_missing, tasks[place + 1 :])))
            self.run_task(task, again=again)
            if task.builds:
                self.tell_server()

    def run_task(self, task: Task, *, again: bool) -> None:
        cells = deque(self.cells(task))
        measured: list[Measurement] = []
        while cells:
            cell = cells.popleft()
            if cell.load and cell.search is None:
                cell = replace(cell, search=choose(self.bench))
            measured.append(self.measure(task, cell, again=again))
            cells.extend(task.further_cells(measured))

    def cells(self, task: Task) -> list[PlannedCell]:
        return task_cells(self.job.scenario, self.job.session, task, self.bench.corpus.filters)

    def is_missing(self, task: Task) -> bool:
        """Whether a cell of a task was not measured before."""
        known = {identity(cell, self.job.scenario) for cell in self.job.known.values()}
        planned = (blank(self.job.session, cell) for cell in self.cells(task))
        return any(identity(cell, self.job.scenario) not in known for cell in planned)

    def measure(self, task: Task, cell: PlannedCell, *, again: bool) -> Measurement:
        """Measures a cell and sends it, unless it is known; `again`: even then, without sending it a second time."""
        empty = blank(self.job.session, cell)
        known = self.job.known.get(empty.key)
        if known is not None and not again:
            return known
        if self.obstacle:
            error = f"not measured, the index is unusable: {self.obstacle}"
            measurement, span = empty.model_copy(update={"error": error}), None
        else:
            self.send("at", f"{empty.engine}: {empty.task}")
            measurement, span = self.attempt(task, cell, empty)
        if task.builds and measurement.error:
            self.obstacle = measurement.error
        if known is not None:
            return known
        self.bench.measured.append(measurement)
        self.send("cell", measurement, span)
        return measurement

    def attempt(self, task: Task, cell: PlannedCell, empty: Measurement) -> tuple[Measurement, Span | None]:
        """Measures one cell; an exception becomes the cell's error."""
        try:
            return TASKS[task.task](self.bench, task, cell)
        except UnsupportedError as error:
            return empty.model_copy(update={"error": UNSUPPORTED + message_of(error)}), None
        except Exception as error:  # noqa: BLE001  whatever a client library raises concerns this cell only
            return empty.model_copy(update={"error": error_text(error)}), None

    def tell_server(self) -> None:
        """Sends the server's name and version, and through which layer of its client queries go."""
        if not self.obstacle and (stats := self.bench.engine.stats()).server:
            self.send("server", stats.server, stats.query_path)
