"""What is asked before and after updates, and judged by the items as they are then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.base import Ids, Keywords, Vectors
from engines.filters import Eq, Filter, Range
from harness.data.workload import Workload
from harness.oracle.exact import Truth
from harness.oracle.items import Items
from harness.results.samples import Samples
from harness.tasks.bench import Bench
from harness.tasks.untimed import Untimed

_AGAIN = (
    100  # measured queries of all workloads together that are asked before the updates and again after them
)


@dataclass(frozen=True, slots=True)
class Checks:
    """Queries float32[q, d], each with its filter."""

    queries: Vectors
    filters: tuple[Filter | None, ...]

    @classmethod
    def of_present(cls, bench: Bench, updated: Ids, deleted: Ids) -> Checks:
        """Where items are now: those to be deleted without a filter, those to be updated under a filter that their
        attributes satisfy now; and the first measured queries of every workload.
        """
        items = bench.items
        names = sorted(items.columns)
        own = [
            own_filter(items, names[i % len(names)], row) if names else None for i, row in enumerate(updated)
        ]
        asked = [bench.workload(name, "measuring") for name in bench.corpus.workloads] if len(deleted) else []
        share = max(1, _AGAIN // max(1, len(asked)))
        queries = [items.vectors[deleted], items.vectors[updated], *(one.queries[:share] for one in asked)]
        again = [where for one in asked for where in one.filters[:share]]
        return cls(np.array(np.concatenate(queries)), (*([None] * len(deleted)), *own, *again))

    def __add__(self, other: Checks) -> Checks:
        return Checks(np.concatenate([self.queries, other.queries]), self.filters + other.filters)

    def ask(self, bench: Bench) -> Samples:
        """The engine's answers."""
        asked = Untimed(bench.engine, self.workload(bench))
        for number in range(len(self.filters)):
            asked.ask(number)
        return asked.samples()

    def workload(self, bench: Bench) -> Workload:
        """The queries as a workload."""
        return Workload("updates", self.queries, self.filters, bench.scenario.k)


def count_missed(samples: Samples, truth: Truth, items: Ids) -> tuple[int, int]:
    """How many of `items` are missing from the answers to queries for themselves, and how many should be there.

    samples, truth: of len(items) queries in the order of `items`. An item should be there where it is among the exact
    neighbours and not merely tied with the last of them.
    """
    last = truth.distances[np.arange(len(items)), np.minimum(truth.matches, truth.k) - 1]
    own = truth.ids == items[:, None]
    distances = np.where(own, truth.distances, -np.inf).max(axis=1)
    expected = own.any(axis=1) & ((distances < last) | (truth.matches <= truth.k))
    found = (samples.ids == items[:, None]).any(axis=1)
    return int(np.count_nonzero(expected & ~found)), int(np.count_nonzero(expected))


def own_filter(items: Items, name: str, row: int) -> Filter:
    """A filter on a column that an item satisfies now."""
    column = items.columns[name]
    if isinstance(column, Keywords):
        return Eq(name, str(column.vocabulary[column.codes[row]]))
    value = column[row].item()
    return Range(name, gte=value, lte=value) if isinstance(value, float) else Eq(name, value)
