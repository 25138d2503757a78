"""What the tasks of a session share: the engine under test, the data, and the judge of its answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engines.base import Batch, Engine, Ids
from harness.data.dataset import Dataset
from harness.machine.meters import Meter
from harness.oracle.corpus import Corpus
from harness.oracle.scoring import Judged, judge_hits
from harness.results.samples import Samples
from harness.scenario.plan import Session
from harness.scenario.specs import Scenario


@dataclass(frozen=True, slots=True)
class Bench:
    """An engine and what its answers are judged by."""

    scenario: Scenario
    session: Session
    path: Path  # the engine's own directory
    engine: Engine
    corpus: Corpus
    meter: Meter

    def judge(self, name: str, samples: Samples, forgive_float32: bool = False) -> Judged:
        """The answers to a workload's queries held against the oracle."""
        data = self.corpus.dataset
        return judge_hits(
            samples,
            self.corpus.workloads[name],
            self.corpus.truths[name],
            vectors=data.vectors,
            columns=data.columns,
            metric=data.metric,
            forgive_float32=forgive_float32,
        )


def batches(dataset: Dataset, size: int) -> Iterator[Batch]:
    """The dataset as batches of up to `size` rows, copied out of the mapped files."""
    for start in range(0, len(dataset.vectors), size):
        rows = slice(start, min(start + size, len(dataset.vectors)))
        columns = {field.name: dataset.columns[field.name][rows] for field in dataset.schema.fields}
        ids = np.arange(rows.start, rows.stop, dtype=np.int64)
        yield Batch(ids, np.array(dataset.vectors[rows], dtype=np.float32), columns)


def as_samples(answers: list[tuple[int, Ids]], k: int) -> Samples:
    """Untimed answers (query index, ids) in the form the judge reads."""
    ids = np.full((len(answers), k), -1, dtype=np.int64)
    for row, (_, found) in enumerate(answers):
        ids[row, : len(found)] = found[:k]
    zero = np.zeros(len(answers), dtype=np.int64)
    query = np.array([number for number, _ in answers], dtype=np.int64)
    lengths = np.array([len(found) for _, found in answers], dtype=np.int64)
    return Samples(zero, zero, zero, query, zero, zero, ids, lengths)
