"""Planned cells: what a task is going to measure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Params = dict[str, Any]
WorkloadNames = Mapping[str, list[str]]  # a scenario's filter -> the workloads that it stands for


@dataclass(frozen=True, slots=True)
class PlannedCell:
    """One measured window of a task.

    task, kind: the task's name and kind. filter: the workload. search: the query-time parameters; None where the
    operating point is chosen while running. load: clients, rate and so on, as in the cell's parameters.
    """

    task: str
    kind: str
    filter: str = "none"
    search: Params | None = None
    load: Params = field(default_factory=dict)


def grid(values: Mapping[str, Any]) -> tuple[Params, ...]:
    """Every combination of the listed values; a value that is no list stands for itself."""
    choices = [value if isinstance(value, list) else [value] for value in values.values()]
    return tuple(dict(zip(values, combination, strict=True)) for combination in itertools.product(*choices))
