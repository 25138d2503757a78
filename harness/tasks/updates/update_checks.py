"""What is asked before and after updates, and judged by the items as they are then."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.base import Ids, Vectors
from engines.filters import Filter
from harness.data.queries.workload import Workload
from harness.oracle.exact import Truth
from harness.results.samples import Samples
from harness.tasks.bench import Bench
from harness.tasks.own_filters import any_filter
from harness.tasks.untimed import Untimed

# Measured queries of all workloads together that are asked before the updates and again after them.
_AGAIN = 100


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
        own = [any_filter(items.columns, i, int(row)) for i, row in enumerate(updated)]
        asked = [bench.workload(name, "measuring") for name in bench.corpus.workloads] if len(deleted) else []
        share = max(1, _AGAIN // max(1, len(asked)))
        queries = [items.vectors[deleted], items.vectors[updated], *(one.queries[:share] for one in asked)]
        again = [where for one in asked for where in one.filters[:share]]
        return cls(np.array(np.concatenate(queries)), (*([None] * len(deleted)), *own, *again))

    @classmethod
    def at(cls, bench: Bench, rows: Ids) -> Checks:
        """Where items are or were: those that are there under a filter that their attributes satisfy, the others
        without one.
        """
        items = bench.items
        filters = [
            any_filter(items.columns, i, int(row)) if items.alive[row] else None for i, row in enumerate(rows)
        ]
        return cls(np.array(items.vectors[rows]), tuple(filters))

    def __add__(self, other: Checks) -> Checks:
        return Checks(np.concatenate([self.queries, other.queries]), self.filters + other.filters)

    def ask(self, bench: Bench, *, exact: bool = False, limit_s: float = np.inf) -> Samples:
        """The engine's answers, in order until the time is up, at least one."""
        asked = Untimed(bench.engine, self.workload(bench))
        asked.ask_within(limit_s, exact=exact)
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
