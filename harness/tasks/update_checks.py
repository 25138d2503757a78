"""What is asked before and after updates, and judged by the items as they are then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from engines.base import Column, Ids, Keywords, Value, Vectors
from engines.filters import And, Eq, Filter, In, Not, Or, Range
from harness.data.workload import Workload
from harness.oracle.exact import Truth
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
        own = [any_filter(items.columns, i, int(row)) for i, row in enumerate(updated)]
        asked = [bench.workload(name, "measuring") for name in bench.corpus.workloads] if len(deleted) else []
        share = max(1, _AGAIN // max(1, len(asked)))
        queries = [items.vectors[deleted], items.vectors[updated], *(one.queries[:share] for one in asked)]
        again = [where for one in asked for where in one.filters[:share]]
        return cls(np.array(np.concatenate(queries)), (*([None] * len(deleted)), *own, *again))

    def __add__(self, other: Checks) -> Checks:
        return Checks(np.concatenate([self.queries, other.queries]), self.filters + other.filters)

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


def own_filter(columns: Mapping[str, Column], name: str, row: int) -> Filter:
    """A filter on a column that the item in a row satisfies."""
    return _equals(name, _value(columns[name], row))


def any_filter(columns: Mapping[str, Column], number: int, row: int) -> Filter | None:
    """A filter that the item in a row satisfies, of every kind in turn, each on every column; None without columns.

    Values that it does not have are those of the next row.
    """
    names = sorted(columns)
    if not names:
        return None
    number, kind = divmod(number, len(_KINDS))
    name, second = names[number % len(names)], names[(number + 1) % len(names)]
    return _KINDS[kind](columns, name, second, row)


def _value(column: Column, row: int) -> Value:
    row %= len(column)
    value = column.vocabulary[column.codes[row]] if isinstance(column, Keywords) else column[row].item()
    return str(value) if isinstance(column, Keywords) else value


def _equals(name: str, value: Value) -> Filter:
    return Range(name, gte=value, lte=value) if isinstance(value, float) else Eq(name, value)


def _plain(columns: Mapping[str, Column], name: str, _second: str, row: int) -> Filter:
    return own_filter(columns, name, row)


def _any_of(columns: Mapping[str, Column], name: str, _second: str, row: int) -> Filter:
    own, other = _value(columns[name], row), _value(columns[name], row + 1)
    if isinstance(own, float):
        return Or((_equals(name, own), _equals(name, other)))
    return In(name, (own,) if own == other else (own, other))


def _bounded(columns: Mapping[str, Column], name: str, _second: str, row: int) -> Filter:
    own, other = _value(columns[name], row), _value(columns[name], row + 1)
    if isinstance(own, str | bool) or isinstance(other, str | bool):
        return _equals(name, own)
    if own == other:
        return Range(name, gte=own) if row % 2 else Range(name, lte=own)
    return Range(name, gte=own, lt=other) if own < other else Range(name, gt=other, lte=own)


def _not(columns: Mapping[str, Column], name: str, _second: str, row: int) -> Filter:
    own, other = _value(columns[name], row), _value(columns[name], row + 1)
    return _equals(name, own) if own == other else Not(_equals(name, other))


def _either(columns: Mapping[str, Column], name: str, second: str, row: int) -> Filter:
    return Or((own_filter(columns, name, row), own_filter(columns, second, row + 1)))


def _both(columns: Mapping[str, Column], name: str, second: str, row: int) -> Filter:
    return And((own_filter(columns, name, row), own_filter(columns, second, row)))


def _not_both(columns: Mapping[str, Column], name: str, second: str, row: int) -> Filter:
    if _value(columns[second], row) == _value(columns[second], row + 1):
        return own_filter(columns, name, row)
    return Not(And((own_filter(columns, name, row), own_filter(columns, second, row + 1))))


_KINDS = (_plain, _any_of, _bounded, _not, _either, _both, _not_both)
