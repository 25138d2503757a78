"""The durability task: which acknowledged writes are left after closing and opening, and after a kill."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter_ns

import numpy as np

from engines.abilities import Remote, require_fields
from engines.base import Batch, Engine, Schema, UnsupportedError, Vectors
from engines.filters import Filter
from engines.registry import load as load_engine
from harness.children.start import ending, start
from harness.errors import MeasurementError
from harness.load.answers import RawColumn, read_column
from harness.load.clients import describe
from harness.machine.meters import Meter
from harness.results.result import Measurement
from harness.scenario.cells import PlannedCell
from harness.scenario.parameters import index_params
from harness.scenario.plan import Session, blank
from harness.scenario.tasks import DurabilityTask
from harness.tasks.bench import Bench, Span
from harness.tasks.durability.durable_writes import Writes, planned
from harness.tasks.own_filters import own_filter

AGAIN_S = 60.0  # how long a server that was killed and started again may take to answer queries
WRITING_S = 120.0  # how long the writer that is going to be killed may take for all its writes


def measure_durability(bench: Bench, task: DurabilityTask, cell: PlannedCell) -> tuple[Measurement, Span]:
    """Writes the first items into a collection of its own, and changes and deletes some of them. Once the engine is
    closed then and opened again; once, or for each way in which the writes may end, it is killed right after the last
    acknowledgement. Counts the items that are not as acknowledged.
    """
    if not bench.engine.capabilities.persistent and not bench.engine.capabilities.server:
        raise UnsupportedError("it keeps nothing: what it holds ends with its process")
    start_ns = perf_counter_ns()
    dataset, can = bench.corpus.dataset, bench.engine.capabilities
    require_fields(can, dataset.schema)
    rows = min(task.items, len(dataset.vectors))
    by_upsert, by_delete = (
        _Job(bench.session, dataset.schema, planned(dataset, task.batch_size, rows, can, last))
        for last in ("upsert", "delete")
    )
    with _folder(bench, by_delete, "reopened") as path:
        with closing(by_delete.engine(path)) as engine:
            by_delete.write(engine)
            engine.refresh()
        reopened = by_delete.lost(path)
    metrics: dict[str, float | None] = {"acknowledged": float(rows), "reopened_lost": float(reopened)}
    reasons: dict[str, str] = {}
    if not can.server:
        metrics["killed_lost"] = float(max(_lost_by_a_kill(bench, job) for job in (by_upsert, by_delete)))
    elif bench.kill_server is not None:
        with _folder(bench, by_upsert, "killed") as path:
            lost = _lost_by_the_server(bench, bench.kill_server, by_upsert, path)
        metrics["killed_lost"] = float(lost)
    else:
        metrics["killed_lost"] = None
        reasons["killed_lost"] = "the server was not started by this run, which therefore does not kill it"
    measurement = blank(bench.session, cell).model_copy(update={"metrics": metrics, "reasons": reasons})
    return measurement, (start_ns, perf_counter_ns())


@contextmanager
def _folder(bench: Bench, job: _Job, purpose: str) -> Iterator[Path]:
    """A directory for a collection of its own, gone afterwards with what is kept on a server."""
    path = bench.path.with_name(f"{bench.path.name}-{purpose}")
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    finally:
        if bench.engine.capabilities.server:
            engine = job.engine(path)
            with suppress(Exception):  # if the server does not answer any more, the cell has failed already
                engine.open(job.schema)
                if isinstance(engine, Remote):
                    engine.drop()
        shutil.rmtree(path, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class _Job:
    """What is written. Picklable."""

    session: Session
    schema: Schema
    writes: Writes

    def engine(self, path: Path) -> Engine:
        kind = load_engine(self.session.adapter)
        return kind(path, index_params(kind, self.session.index, self.session.label))

    def write(self, engine: Engine) -> None:
        engine.create(self.schema)
        for write in self.writes.steps:
            if isinstance(write, Batch):
                engine.index(write)
            else:
                engine.delete(write)

    def lost(self, path: Path) -> int:
        """How many items a newly opened engine does not have as acknowledged: by its count, or by looking for each.

        An engine in this process that cannot open what is there has lost everything. A server may take a while to
        answer again; raises MeasurementError where it takes longer than AGAIN_S.
        """
        deadline_s = time.monotonic() + AGAIN_S
        while True:
            engine = self.engine(path)
            try:
                engine.open(self.schema)
                engine.refresh()
                return max(self._astray(engine), abs(len(self.writes.left) - engine.count()))
            except Exception as error:
                if not engine.capabilities.server:
                    return len(self.writes)
                if time.monotonic() > deadline_s:
                    raise MeasurementError(
                        f"durability: no answer within {AGAIN_S:g} s: {describe(error)}"
                    ) from error
                time.sleep(0.5)
            finally:
                with suppress(Exception):  # what could not be opened may fail to close
                    engine.close()

    def _astray(self, engine: Engine) -> int:
        """How many items are not among the nearest to their own vector, under a filter that they satisfy, or are there
        although they were deleted. Equal vectors tie, so as many hits are asked for as there are equals.
        """
        left, gone = self.writes.left, self.writes.gone
        vectors = np.concatenate([left.vectors, gone.vectors])
        _, inverse, counts = np.unique(vectors, axis=0, return_inverse=True, return_counts=True)
        hits = (counts[inverse.reshape(-1)] + 10).tolist()
        names = [None, *sorted(left.attributes)]  # None: no filter
        astray = 0
        for row, id_ in enumerate(left.ids.tolist()):
            name = names[row % len(names)]
            where = None if name is None else own_filter(left.attributes, name, row)
            astray += id_ not in _ids(engine, left.vectors[row], hits[row], where)
        for row, id_ in enumerate(gone.ids.tolist()):
            astray += id_ in _ids(engine, gone.vectors[row], hits[len(left) + row], None)
        return astray


def _ids(engine: Engine, vector: Vectors, k: int, where: Filter | None) -> RawColumn:
    return read_column(engine.query(vector, k, where, exact=engine.capabilities.exact).ids)


def _lost_by_a_kill(bench: Bench, job: _Job) -> int:
    with _folder(bench, job, "killed") as path:
        _write_and_die(job, path)
        return job.lost(path)


def _lost_by_the_server(bench: Bench, kill_server: Callable[[], Meter], job: _Job, path: Path) -> int:
    """Writes everything, and has the server killed once the last write is acknowledged. Opens the session's own
    collection again afterwards, since its connections ended with the server.
    """
    engine = job.engine(path)
    job.write(engine)
    bench.meter = kill_server()
    for abandoned in (engine, bench.engine):
        with suppress(Exception):  # closing may fail: the server has ended
            abandoned.close()
    lost = job.lost(path)
    bench.engine = job.engine(bench.path)
    bench.engine.open(job.schema)
    return lost


def _write_and_die(job: _Job, path: Path) -> None:
    """Has a process write everything, and kills it once the last write is acknowledged.

    Raises MeasurementError where it fails before that.
    """
    child = start("bakeoff durability", _writer, job, path)
    try:
        message = child.receive(WRITING_S)
    except TimeoutError:
        message = f"its writes took longer than {WRITING_S:g} s"
    except EOFError:
        message = f"the writing process died: {ending(child.exit_code())}"
    finally:
        child.end(graceful=False)
    if message != "acknowledged":
        raise MeasurementError(f"durability: {message}")


def _writer(job: _Job, path: Path, connection: Connection) -> None:
    try:
        job.write(job.engine(path))
        connection.send("acknowledged")
        time.sleep(WRITING_S)  # to be killed
    except Exception as error:  # noqa: BLE001  the parent reports it
        connection.send(describe(error))
