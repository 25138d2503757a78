"""The measurements of a run, grouped the way decisions and charts ask for them."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.results.result import Measurement, RunResult
from reports.wording import settings


@dataclass(frozen=True, slots=True)
class Configuration:
    """A candidate: an engine entry with one setting of its grid. Parameters are held as canonical JSON."""

    engine: str
    adapter: str
    index_json: str
    search_json: str

    @property
    def index(self) -> dict[str, Any]:
        return json.loads(self.index_json)  # type: ignore[no-any-return]

    @property
    def search(self) -> dict[str, Any]:
        return json.loads(self.search_json)  # type: ignore[no-any-return]

    @property
    def title(self) -> str:
        """`engine (M=16; ef=64)`."""
        inner = settings(self.index, self.search)
        return f"{self.engine} ({inner})" if inner else self.engine


def canonical(params: Mapping[str, Any]) -> str:
    """One text per set of parameters, whatever their order."""
    return json.dumps(params, sort_keys=True)


def configuration(cell: Measurement) -> Configuration:
    """The candidate that a cell measured."""
    return Configuration(
        cell.engine,
        cell.adapter,
        canonical(cell.params.get("index", {})),
        canonical(cell.params.get("search", {})),
    )


@dataclass(frozen=True, slots=True)
class Group:
    """Cells that differ only in the trial, ordered by it."""

    task: str
    kind: str
    filter: str
    executor: str | None
    rate: float | None
    cells: tuple[Measurement, ...]

    def values(self, metric: str) -> dict[int, float]:
        """The metric by trial, where it was measured."""
        return {
            cell.trial: value
            for cell in self.cells
            if cell.error is None and (value := cell.metrics.get(metric)) is not None
        }

    def gap(self, metric: str) -> str | None:
        """Why the metric is missing in some trial, or None where every trial has it."""
        for cell in self.cells:
            if cell.error is not None:
                return f"trial {cell.trial + 1}: {cell.error}"
            if cell.metrics.get(metric) is None:
                return cell.reasons.get(metric, "not recorded")
        return None

    @property
    def where(self) -> str:
        """Where it was measured, for people: `filter brand at 200/s`."""
        parts = [f"filter {self.filter}"] if self.kind == "search" else [f"task {self.task}"]
        return " ".join(parts + ([f"at {self.rate:,g}/s"] if self.rate is not None else []))


def grouped(cells: Iterable[Measurement]) -> list[Group]:
    """Groups of the same task, filter and load, in order of appearance; parameters are the caller's."""
    buckets: dict[tuple[str, str, str], list[Measurement]] = defaultdict(list)
    for cell in cells:
        buckets[cell.task, cell.filter, canonical(cell.params.get("load", {}))].append(cell)
    groups = []
    for rows in buckets.values():
        first = rows[0]
        rate = first.params.get("load", {}).get("rate")
        ordered = tuple(sorted(rows, key=lambda cell: cell.trial))
        groups.append(Group(first.task, first.kind, first.filter, first.executor, rate, ordered))
    return groups


class Table:
    """A run's cells by candidate.

    objective_task: the closed-loop task whose throughput is compared: the one that covers most cells of the
    grid, of several the one with most clients. filters: those of that task, over all engines, so that an
    engine that lacks one shows a gap. candidates: every configuration of that task.
    """

    def __init__(self, result: RunResult) -> None:
        self.result = result
        self.k = int(result.scenario.get("k", 10))
        self.objective_task = _objective_task(result.measurements)
        objective = [cell for cell in result.measurements if self._is_objective(cell)]
        self.filters = tuple(dict.fromkeys(cell.filter for cell in objective))
        self.candidates = tuple(dict.fromkeys(configuration(cell) for cell in objective))
        self.engines = tuple(
            dict.fromkeys(
                [entry.get("label") or entry["engine"] for entry in result.scenario.get("engines", [])]
                + list(result.engines)
                + [cell.engine for cell in result.measurements]
            )
        )
        self.has_arrivals = any(cell.executor == "arrival_rate" for cell in result.measurements)
        self._search: dict[Configuration, list[Measurement]] = defaultdict(list)
        self._build: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
        for cell in result.measurements:
            if cell.kind == "search":
                self._search[configuration(cell)].append(cell)
            else:
                self._build[cell.engine, canonical(cell.params.get("index", {}))].append(cell)

    def _is_objective(self, cell: Measurement) -> bool:
        return cell.kind == "search" and cell.executor == "closed_loop" and cell.task == self.objective_task

    def search(self, candidate: Configuration) -> list[Group]:
        """Every search group of a candidate, closed loop and offered rate."""
        return grouped(self._search.get(candidate, []))

    def objective(self, candidate: Configuration) -> list[Group]:
        """The groups whose throughput decides, one a filter."""
        return grouped(cell for cell in self._search.get(candidate, []) if self._is_objective(cell))

    def arrivals(self, candidate: Configuration) -> list[Group]:
        """The groups with an offered rate, one a filter and rate."""
        return grouped(cell for cell in self._search.get(candidate, []) if cell.executor == "arrival_rate")

    def offered(self) -> dict[tuple[str, str], list[Group]]:
        """Groups with an offered rate by engine and index (as JSON), at whichever setting was the operating
        point in a trial.
        """
        cells: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
        for cell in self.result.measurements:
            if cell.executor == "arrival_rate":
                cells[cell.engine, canonical(cell.params.get("index", {}))].append(cell)
        return {build: grouped(found) for build, found in cells.items()}

    def build(self, candidate: Configuration, kind: str) -> list[Group]:
        """The `index` or `updates` groups of the index that a candidate searches."""
        cells = self._build.get((candidate.engine, candidate.index_json), [])
        return grouped(cell for cell in cells if cell.kind == kind)

    def of_engine(self, engine: str) -> list[Measurement]:
        """Every cell of an engine, whatever its parameters."""
        return [cell for cell in self.result.measurements if cell.engine == engine]


def _objective_task(cells: Iterable[Measurement]) -> str | None:
    covered: dict[str, set[tuple[Configuration, str]]] = defaultdict(set)
    clients: dict[str, int] = {}
    for cell in cells:
        if cell.kind == "search" and cell.executor == "closed_loop":
            load = cell.params.get("load", {})
            covered[cell.task].add((configuration(cell), cell.filter))
            clients[cell.task] = int(load.get("clients", 1))
    return max(covered, key=lambda task: (len(covered[task]), clients[task]), default=None)
