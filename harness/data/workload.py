"""Workloads: the queries of a cell, each with its filter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engines.base import Keywords
from engines.filters import Eq, Filter, In, Range, matches
from engines.values.filter_syntax import parse
from harness.data.dataset import Dataset, filter_problems
from harness.errors import ConfigurationError
from harness.scenario.specs import FilterSpec

DISTINCT = 20  # different filters of one selectivity: enough to vary, few enough to group the oracle's work
_TOLERANCE = 0.1  # a filter within 10 % of the wanted selectivity is taken at once
_FARTHEST = 2.0  # times the wanted selectivity, or its half: a filter beyond that measures something else


@dataclass(frozen=True, slots=True)
class Workload:
    """What a search cell asks.

    name: the filter set's. queries: float32[q, dim]. filters: one (or None) a query. asked_selectivity: the one that
    the filters were made for, if one was asked for.
    """

    name: str
    queries: npt.NDArray[np.float32]
    filters: tuple[Filter | None, ...]
    k: int
    asked_selectivity: float | None = None

    def take(self, queries: npt.NDArray[np.int64]) -> Workload:
        """Only these queries, by their numbers."""
        filters = tuple(self.filters[number] for number in queries.tolist())
        return Workload(self.name, self.queries[queries], filters, self.k)


@dataclass(frozen=True, slots=True)
class Workloads:
    """The workloads of one filter spec, and by name those the dataset cannot offer, with the reason."""

    ready: tuple[Workload, ...] = ()
    skipped: Mapping[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Workload]:
        return iter(self.ready)

    def __len__(self) -> int:
        return len(self.ready)


class Selectivity(NamedTuple):
    """Share of the items that a workload's filters let through, over its queries; how many filters differ."""

    mean: float
    min: float
    max: float
    distinct: int


def build_workload(spec: FilterSpec, dataset: Dataset, k: int, seed: int) -> Workloads:
    """The workload a filter spec stands for; one a filter set where it names none (`NAME:SET`).

    What a portable scenario asks and a dataset cannot offer (`from_dataset: true` without filter sets, `selectivity`
    without a column whose values can be cut so) is skipped. Raises ConfigurationError with every problem.
    """
    draw = _Draw(spec, dataset, np.random.default_rng([seed, *spec.name.encode()]))
    if spec.where is not None:
        filters: Any = draw.fixed()
    elif spec.keyword is not None:
        filters = draw.keyword(spec.keyword)
    elif spec.selectivity is not None:
        if spec.column is None and not dataset.filterable:
            reason = (
                f"dataset '{dataset.name}' has no filterable column (attributes.parquet would bring some)"
            )
            return Workloads(skipped={spec.name: reason})
        filters, real = draw.selectivity(spec.selectivity)
        if not 1 / _FARTHEST <= real / spec.selectivity <= _FARTHEST:
            which = f"column '{spec.column}'" if spec.column else "no column"
            reason = (
                f"asked to let {spec.selectivity:.3%} through, but {which} of dataset '{dataset.name}' can "
                f"{'only' if spec.column else 'do better than'} {real:.3%}"
            )
            return Workloads(skipped={spec.name: reason})
    elif spec.from_dataset:
        return _brought(spec, dataset, k)
    else:
        filters = (None,) * len(dataset.queries)
    return Workloads((Workload(spec.name, dataset.queries, filters, k, spec.selectivity),))


def selectivity(workload: Workload, dataset: Dataset) -> Selectivity:
    """Measures a workload's selectivity on a dataset; `distinct` does not count queries without filter."""
    counts: dict[Filter | None, int] = {}
    for where in workload.filters:
        counts[where] = counts.get(where, 0) + 1
    shares = {where: _share(where, dataset) for where in counts}
    mean = math.fsum(shares[where] * count for where, count in counts.items()) / len(workload.filters)
    return Selectivity(mean, min(shares.values()), max(shares.values()), len(counts.keys() - {None}))


def _share(where: Filter | None, dataset: Dataset) -> float:
    if where is None:
        return 1.0
    rows = len(dataset.vectors)
    return int(np.count_nonzero(matches(where, dataset.columns, rows))) / rows


def _brought(spec: FilterSpec, dataset: Dataset, k: int) -> Workloads:
    def workload(name: str, key: str) -> Workload:
        return Workload(name, dataset.queries, dataset.filters[key], k)

    if spec.from_dataset is True:
        if not dataset.filters:
            return Workloads(skipped={spec.name: f"dataset '{dataset.name}' brings no filters"})
        return Workloads(tuple(workload(f"{spec.name}:{key}", key) for key in dataset.filters))
    key = str(spec.from_dataset)
    if key not in dataset.filters:
        raise ConfigurationError(
            f"filters[{spec.name}].from_dataset: dataset '{dataset.name}' brings no filter set '{key}' "
            f"(it has: {', '.join(dataset.filters) or 'none'})"
        )
    return Workloads((workload(spec.name, key),))


@dataclass(frozen=True, slots=True)
class _Draw:
    """Draws the filters of one spec."""

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
        rows = self.rng.integers(len(self.dataset.vectors), size=len(self.dataset.queries))
        values = column[rows].decode() if isinstance(column, Keywords) else column[rows].tolist()
        return tuple(Eq(name, value) for value in values)

    def selectivity(self, share: float) -> tuple[tuple[Filter | None, ...], float]:
        """One of up to DISTINCT filters a query, from the first column that comes near enough to `share`, else from the
        nearest; and the mean share of the items that these filters let through.
        """
        best: list[Filter] = []
        best_error, best_share = math.inf, 0.0
        for name in self._candidates():
            column = self.dataset.columns[name]
            if isinstance(column, Keywords) or column.dtype == np.bool_:
                filters = self._value_sets(name, share)
            else:
                filters = self._windows(name, share)
            mean = math.fsum(_share(where, self.dataset) for where in filters) / len(filters)
            error = abs(math.log(mean / share))
            if error < best_error:
                best, best_error, best_share = filters, error, mean
            if error <= _TOLERANCE:
                break
        drawn = self.rng.integers(len(best), size=len(self.dataset.queries))
        return tuple(best[i] for i in drawn), best_share

    def _candidates(self) -> list[str]:
        """The column asked for; else numbers before keywords, those with more distinct values first."""
        if self.spec.column is not None:
            self._filterable(self.spec.column, "column")
            return [self.spec.column]

        def rank(name: str) -> tuple[bool, int]:
            values = _values(self.dataset, name)
            return values.dtype.kind not in "if" or self._kind(name) == "keyword", -len(np.unique(values))

        return sorted(self.dataset.filterable, key=rank)

    def _windows(self, name: str, share: float) -> list[Filter]:
        """Ranges from one value to another over about `share` of the rows, at random among those that fit best."""
        values, counts = np.unique(_values(self.dataset, name), return_counts=True)
        before = np.concatenate([[0], np.cumsum(counts)])  # rows below each value, and all of them
        width = max(1, round(share * before[-1]))
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
        """Sets of values, filled in random order up to `share` of the rows; never empty."""
        column = self.dataset.columns[name]
        codes, counts = np.unique(_values(self.dataset, name), return_counts=True)
        words = column.vocabulary[codes].tolist() if isinstance(column, Keywords) else codes.tolist()
        room = share * len(self.dataset.vectors) * (1 + _TOLERANCE / 2)
        filters: dict[Filter, None] = {}
        for _ in range(DISTINCT):
            chosen, total = [], 0
            for i in self.rng.permutation(len(words)).tolist():
                if total + counts[i] <= room:
                    chosen.append(i)
                    total += int(counts[i])
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
            known = ", ".join(self.dataset.filterable) or "none"
            raise ConfigurationError(
                f"filters[{self.spec.name}].{key}: {problem} "
                f"(dataset '{self.dataset.name}' can filter by: {known})"
            )
        return kind


def _values(dataset: Dataset, name: str) -> npt.NDArray[Any]:
    column = dataset.columns[name]
    return column.codes if isinstance(column, Keywords) else column
