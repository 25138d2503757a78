"""What a scenario asks for, spelled out as sessions and cells; pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from harness.results.result import Measurement
from harness.scenario.specs import EngineSpec, IndexTask, Scenario, SearchTask, UpdateTask

Params = dict[str, Any]
Filters = Mapping[str, list[str]]  # a scenario's filter -> the workloads it stands for


@dataclass(frozen=True, slots=True)
class Session:
    """One engine with one set of index parameters in one trial: built once, in a process of its own."""

    label: str
    adapter: str
    index: Params
    searches: tuple[Params, ...]  # the search grid
    trial: int

    @property
    def key(self) -> str:
        """Identifies the session within a run."""
        return f"{self.label} {sorted(self.index.items())} trial {self.trial}"


@dataclass(frozen=True, slots=True)
class SearchCell:
    """One measured window. search is None where the operating point is chosen while running."""

    task: SearchTask
    filter: str
    search: Params | None
    rate: float | None

    @property
    def load(self) -> Params:
        """The load as it stands in the cell's parameters."""
        load: Params = {"executor": self.task.executor, "clients": self.task.clients}
        if self.task.processes > 1:
            load["processes"] = self.task.processes
        if self.rate is not None:
            load |= {"rate": self.rate, "arrivals": self.task.arrivals}
        return load


def grid(values: Mapping[str, Any]) -> tuple[Params, ...]:
    """Every combination of the listed values; a value that is no list stands for itself."""
    choices = [value if isinstance(value, list) else [value] for value in values.values()]
    return tuple(dict(zip(values, combination, strict=True)) for combination in itertools.product(*choices))


def engine_sessions(spec: EngineSpec, trial: int) -> list[Session]:
    """One session an index combination."""
    return [Session(spec.title, spec.engine, index, grid(spec.search), trial) for index in grid(spec.index)]


def trial_sessions(scenario: Scenario, trial: int) -> list[Session]:
    """The sessions of one trial. Each trial starts with another engine, so that no engine always runs on
    a machine in the same state (cold, throttled, busy).
    """
    sessions = [session for spec in scenario.engines for session in engine_sessions(spec, trial)]
    turn = trial * max(1, len(sessions) // max(1, scenario.trials)) % len(sessions)
    return sessions[turn:] + sessions[:turn]


def search_cells(task: SearchTask, filters: Filters, searches: tuple[Params, ...]) -> Iterator[SearchCell]:
    """The cells of one search task: filters x search grid (or the operating point) x rates."""
    chosen: tuple[Params | None, ...] = searches if task.params == "all" else (None,)
    wanted = [
        name
        for spec, names in filters.items()
        if task.filters is None or spec in task.filters
        for name in names
    ]
    for name, search, rate in itertools.product(wanted, chosen, task.rates):
        yield SearchCell(task, name, search, rate)


def blank(session: Session, task: IndexTask | UpdateTask | SearchCell) -> Measurement:
    """The measurement of a cell before anything was measured."""
    common: dict[str, Any] = {"engine": session.label, "adapter": session.adapter, "trial": session.trial}
    if isinstance(task, SearchCell):
        params = {"index": session.index, "search": task.search or {}, "load": task.load}
        return Measurement(
            task=task.task.name,
            kind="search",
            filter=task.filter,
            executor=task.task.executor,
            params=params,
            **common,
        )
    return Measurement(task=task.name, kind=task.task, params={"index": session.index}, **common)


def session_cells(scenario: Scenario, session: Session, filters: Filters) -> list[Measurement]:
    """Every cell of a session, blank and in the order of the tasks; index first."""
    cells = []
    for task in sorted(scenario.tasks, key=lambda task: not isinstance(task, IndexTask)):
        if isinstance(task, SearchTask):
            cells += [blank(session, cell) for cell in search_cells(task, filters, session.searches)]
        else:
            cells.append(blank(session, task))
    return cells


def identity(cell: Measurement, scenario: Scenario) -> str:
    """The cell's key, without the search parameters where they are only chosen while running."""
    chosen = {
        task.name
        for task in scenario.tasks
        if isinstance(task, SearchTask) and task.params == "operating_point"
    }
    if cell.task not in chosen:
        return cell.key
    return cell.model_copy(update={"params": cell.params | {"search": {}}}).key
