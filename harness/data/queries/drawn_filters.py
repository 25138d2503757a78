"""Filters that a scenario asks for by their kind: drawn from the columns of a dataset."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.columns import Keywords, Tags, decoded, occurring, present
from engines.filters import Eq, Filter, In, Range, matches
from engines.meant import choices
from engines.values.filter_syntax import parse
from harness.data.dataset import Dataset, filter_problems
from harness.errors import ConfigurationError
from harness.scenario.specs import FilterSpec

DISTINCT = 20  # different filters of one selectivity: enough to vary, few enough to group the oracle's work
_TOLERANCE = 0.1  # a filter within 10 % of the wanted selectivity is taken at once


def share_of(where: Filter | None, dataset: Dataset) -> float:
    """The share of the items that match a filter."""
    if where is None:
        return 1.0
    rows = len(dataset.vectors)
    return int(np.count_nonzero(matches(where, dataset.columns, rows))) / rows


@dataclass(frozen=True, slots=True)
class DrawnFilters:
    """Draws the filters of one spec, a filter a query."""

    spec: FilterSpec
    dataset: Dataset
    rng: np.random.Generator

    def fixed(self) -> tuple[Filter | None, ...]:
        where = parse(self.spec.where)
        problems = filter_problems(where, self.dataset.attributes)
        if problems:
            raise ConfigurationError([f"filters[{self.spec.name}].where: {problem}" for problem in problems])
        return (where,) * len(self.dataset.queries)

    def keyword(self, name: str) -> tuple[Filter | None, ...]:
        """A value a query, as often as it occurs: the value of an item drawn at random."""
        kind = self._filterable(name, "keyword")
        if kind == "float":
            raise ConfigurationError(
                f"filters[{self.spec.name}].keyword: '{name}' is float, items hardly ever share a value; "
                "use selectivity with column instead"
            )
        column = self.dataset.columns[name]
        known = present(column)
        having = np.arange(len(column)) if known is None else np.flatnonzero(known)
        if not len(having):
            raise ConfigurationError(f"filters[{self.spec.name}].keyword: no item has a value of '{name}'")
        rows = having[self.rng.integers(len(having), size=len(self.dataset.queries))]
        values = decoded(column[rows])
        if isinstance(column, Tags):
            values = [words[self.rng.integers(len(words))] for words in values]
        return tuple(Eq(name, value) for value in values)

    def selectivity(self, share: float) -> tuple[tuple[Filter | None, ...], float]:
        """One of up to DISTINCT filters a query, from the first column that comes near enough to `share`, else from the
        nearest; and the mean share of the items that these filters let through.
        """
        best: list[Filter] = []
        best_error, best_share = math.inf, 0.0
        for name in self._candidates():
            if self._kind(name) in ("integer", "float"):
                filters = self._windows(name, share)
            else:
                filters = self._value_sets(name, share)
            if not filters:
                continue
            mean = math.fsum(share_of(where, self.dataset) for where in filters) / len(filters)
            error = abs(math.log(mean / share))
            if error < best_error:
                best, best_error, best_share = filters, error, mean
            if error <= _TOLERANCE:
                break
        if not best:  # no item has a value of any of the columns
            return (), 0.0
        drawn = self.rng.integers(len(best), size=len(self.dataset.queries))
        return tuple(best[i] for i in drawn), best_share

    def _candidates(self) -> list[str]:
        """The column asked for; else numbers before keywords, those with more distinct values first."""
        if self.spec.column is not None:
            self._filterable(self.spec.column, "column")
            return [self.spec.column]

        def rank(name: str) -> tuple[bool, int]:
            return self._kind(name) not in ("integer", "float"), -len(
                np.unique(occurring(self.dataset.columns[name]))
            )

        return sorted(self.dataset.filterable, key=rank)

    def _windows(self, name: str, share: float) -> list[Filter]:
        """Ranges from one value to another over about `share` of the rows, at random among those that fit best; none
        where fewer have a value.
        """
        values, counts = np.unique(occurring(self.dataset.columns[name]), return_counts=True)
        before = np.concatenate([[0], np.cumsum(counts)])  # rows below each value, and all that have one
        width = max(1, round(share * len(self.dataset.vectors)))
        if width > before[-1]:
            return []
        starts = np.flatnonzero(before[:-1] + width <= before[-1])
        # Of the two ends around the wanted width, the one whose share is nearer by its ratio.
        above = np.searchsorted(before, before[starts] + width)
        below = np.maximum(above - 1, starts + 1)
        errors = [np.abs(np.log((before[ends] - before[starts]) / width)) for ends in (below, above)]
        ends = np.where(errors[0] < errors[1], below, above)
        error = np.minimum(*errors)
        best = np.flatnonzero(error <= max(error.min(), _TOLERANCE / 2))
        chosen = self.rng.choice(best, size=min(DISTINCT, len(best)), replace=False)
        return [
            Range(name, gte=values[starts[i]].item(), lte=values[ends[i] - 1].item()) for i in chosen.tolist()
        ]

    def _value_sets(self, name: str, share: float) -> list[Filter]:
        """Sets of values, filled in random order up to `share` of the rows; none where no row has a value."""
        column = self.dataset.columns[name]
        codes, counts = np.unique(occurring(self.dataset.columns[name]), return_counts=True)
        if not len(codes):
            return []
        words = column.vocabulary[codes].tolist() if isinstance(column, Keywords | Tags) else codes.tolist()
        room = share * len(self.dataset.vectors) * (1 + _TOLERANCE / 2)
        holders = _holders(column, codes) if isinstance(column, Tags) else None
        filters: dict[Filter, None] = {}
        for _ in range(DISTINCT):
            order = self.rng.permutation(len(words)).tolist()
            chosen = (
                _filled(order, counts, room)
                if holders is None
                else _covering(order, holders, len(column), room)
            )
            values = tuple(words[i] for i in sorted(chosen or [int(np.argmin(counts))]))
            filters[Eq(name, values[0]) if len(values) == 1 else In(name, values)] = None
        return list(filters)

    def _kind(self, name: str) -> str | None:
        attribute = self.dataset.attribute(name)
        return None if attribute is None else attribute.kind

    def _filterable(self, name: str, key: str) -> str:
        kind = self._kind(name)
        if kind is None or kind == "text":
            problem = (
                f"unknown column '{name}'" if kind is None else f"'{name}' is text and cannot be filtered"
            )
            can = choices(name, self.dataset.filterable, f"dataset '{self.dataset.name}' can filter by")
            raise ConfigurationError(f"filters[{self.spec.name}].{key}: {problem} ({can})")
        return kind


def _filled(order: list[int], counts: npt.NDArray[np.int64], room: float) -> list[int]:
    """Values in this order, each where it still fits into `room`."""
    chosen, total = [], 0
    for i in order:
        if total + counts[i] <= room:
            chosen.append(i)
            total += int(counts[i])
    return chosen


def _holders(column: Tags, codes: npt.NDArray[np.int32]) -> list[npt.NDArray[np.int64]]:
    """The rows that hold each of these tags, which are in ascending order."""
    order = np.argsort(column.codes, kind="stable")
    return np.split(column.rows[order], np.searchsorted(column.codes[order], codes[1:]))


def _covering(order: list[int], holders: list[npt.NDArray[np.int64]], rows: int, room: float) -> list[int]:
    """The same for tags, of which an item may hold several: it counts once."""
    chosen, total = [], 0
    covered = np.zeros(rows, dtype=np.bool_)
    for i in order:
        added = len(holders[i]) - int(np.count_nonzero(covered[holders[i]]))
        if total + added <= room:
            chosen.append(i)
            covered[holders[i]] = True
            total += added
    return chosen
