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
from harness.tasks.bench import Bench, as_samples

_AGAIN = 50  # measured queries of each workload that are asked before the updates and again after them


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
        queries = [items.vectors[deleted], items.vectors[updated], *(one.queries[:_AGAIN] for one in asked)]
        again = [where for one in asked for where in one.filters[:_AGAIN]]
        return cls(np.array(np.concatenate(queries)), (*([None] * len(deleted)), *own, *again))

    def __add__(self, other: Checks) -> Checks:
        return Checks(np.concatenate([self.queries, other.queries]), self.filters + other.filters)

    def ask(self, bench: Bench) -> Samples:
        """The engine's answers."""
        k = bench.scenario.k
        answers = [
            (number, np.asarray(bench.engine.query(self.queries[number], k, where).ids, dtype=np.int64))
            for number, where in enumerate(self.filters)
        ]
        return as_samples(answers, k)

    def answered(self, bench: Bench) -> tuple[Truth, Workload, Samples]:
        """The engine's answers beside the exact ones over the items as they are now."""
        workload = Workload("updates", self.queries, self.filters, bench.scenario.k)
        return bench.exact(workload), workload, self.ask(bench)


def own_filter(items: Items, name: str, row: int) -> Filter:
    """A filter on a column that an item satisfies now."""
    column = items.columns[name]
    if isinstance(column, Keywords):
        return Eq(name, str(column.vocabulary[column.codes[row]]))
    value = column[row].item()
    return Range(name, gte=value, lte=value) if isinstance(value, float) else Eq(name, value)
