"""What the tasks of a session share: the engine under test, the data, and the judge of its answers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np

from engines.base import Batch, Engine
from harness.data.dataset import Dataset
from harness.data.queries.roles import QueryRoles
from harness.data.queries.workload import Workload
from harness.machine.meters import Meter
from harness.oracle.corpus import Corpus
from harness.oracle.exact import Truth, exact_neighbours
from harness.oracle.items import Items
from harness.oracle.scoring import judge_hits
from harness.results.judging import Judged
from harness.results.result import Measurement
from harness.results.samples import Samples, write_samples
from harness.scenario.cells import PlannedCell
from harness.scenario.plan import Session, blank
from harness.scenario.specs import Scenario

Span = tuple[int, int]  # start and end of a measured window, perf_counter_ns
Role = Literal["checking", "warming", "measuring"]


@dataclass(slots=True)
class Bench:
    """An engine, and the data by which its answers are judged.

    path: the engine's own directory. items: as they should be after every write so far; tasks that write change them.
    measured: the cells of this session so far, those of an earlier, interrupted run included. repeat_gain: how many
    times as fast the engine answers what it was asked before; None where that is not known. asked: the filters whose
    measured queries it was asked in this process. processes: how many client processes a task takes, by its name, once
    that is found out. kill_server: kills the engine's server (SIGKILL), starts it again on the same data and returns
    its new meter; None where it was not started by this run.
    """

    scenario: Scenario
    session: Session
    path: Path
    engine: Engine
    corpus: Corpus
    meter: Meter
    samples: Path  # the folder of the run's samples
    measured: list[Measurement] = field(default_factory=list)
    repeat_gain: float | None = None
    asked: set[str] = field(default_factory=set)
    processes: dict[str, int] = field(default_factory=dict)
    kill_server: Callable[[], Meter] | None = None
    items: Items = field(init=False)
    _truths: dict[str, tuple[int, Truth]] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.items = Items.of(self.corpus.dataset)

    @property
    def roles(self) -> QueryRoles:
        """Which queries are for what."""
        return self.corpus.roles

    def workload(self, name: str, role: Role) -> Workload:
        """A workload's queries that are for `role`."""
        return self.corpus.workloads[name].take(getattr(self.roles, role))

    def truth(self, name: str) -> Truth:
        """The exact answers to all queries of a workload over the items as they are now."""
        if not self.items.version:
            return self.corpus.truths[name]
        version, truth = self._truths.get(name, (0, None))
        if truth is None or version != self.items.version:
            truth = self.exact(self.corpus.workloads[name])
            self._truths[name] = self.items.version, truth
        return truth

    def exact(self, workload: Workload) -> Truth:
        """The exact answers to a workload over the items as they are now, computed anew."""
        items, metric = self.items, self.corpus.dataset.metric
        return exact_neighbours(
            items.vectors, workload.queries, workload.k, metric, workload.filters, items.columns, items.alive
        )

    def judge(self, name: str, role: Role, samples: Samples, *, forgive_float32: bool = False) -> Judged:
        """The answers to a workload's queries of that role, judged by the oracle's."""
        truth = self.truth(name).take(getattr(self.roles, role))
        return self.judge_against(truth, self.workload(name, role), samples, forgive_float32=forgive_float32)

    def judge_against(
        self, truth: Truth, workload: Workload, samples: Samples, *, forgive_float32: bool = False
    ) -> Judged:
        """The same for a workload that is not the scenario's, with its own truth over the items as they are now."""
        return judge_hits(
            samples,
            workload,
            truth,
            vectors=self.items.vectors,
            columns=self.items.columns,
            metric=self.corpus.dataset.metric,
            alive=self.items.alive if self.items.version else None,
            forgive_float32=forgive_float32,
            exact_scores=self.engine.capabilities.exact_scores,
        )

    def keep(self, cell: PlannedCell, samples: Samples) -> str:
        """Writes a cell's samples into a file of their own; its name within the run."""
        name = hashlib.sha256(blank(self.session, cell).key.encode()).hexdigest()[:16]
        path = self.samples / f"{name}.parquet"
        path.parent.mkdir(exist_ok=True)
        write_samples(path, samples)
        return f"{path.parent.name}/{path.name}"


def batches(dataset: Dataset, size: int, rows: int | None = None) -> Iterator[Batch]:
    """The dataset (or its first `rows` items) as batches of up to `size`, copied out of the mapped files."""
    total = len(dataset.vectors) if rows is None else min(rows, len(dataset.vectors))
    for start in range(0, total, size):
        part = slice(start, min(start + size, total))
        columns = {entry.name: dataset.columns[entry.name][part] for entry in dataset.schema.fields}
        ids = np.arange(part.start, part.stop, dtype=np.int64)
        yield Batch(ids, np.array(dataset.vectors[part], dtype=np.float32), columns)
