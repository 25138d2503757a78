"""Workloads: the queries of a cell, each with its filter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from engines.filters import Filter
from engines.meant import choices
from harness.data.dataset import Dataset
from harness.data.queries.drawn_filters import DrawnFilters, share_of
from harness.errors import ConfigurationError
from harness.scenario.specs import FilterSpec

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
    draw = DrawnFilters(spec, dataset, np.random.default_rng([seed, *spec.name.encode()]))
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
    shares = {where: share_of(where, dataset) for where in counts}
    mean = math.fsum(shares[where] * count for where, count in counts.items()) / len(workload.filters)
    return Selectivity(mean, min(shares.values()), max(shares.values()), len(counts.keys() - {None}))


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
            f"({choices(key, dataset.filters, 'it has')})"
        )
    return Workloads((workload(spec.name, key),))
