"""A scenario's sessions and cells; pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.results.result import Measurement
from harness.scenario.cells import Params, PlannedCell, WorkloadNames, grid
from harness.scenario.specs import EngineSpec, Scenario
from harness.scenario.tasks import TaskSpec


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


def task_cells(
    scenario: Scenario, session: Session, task: TaskSpec, filters: WorkloadNames
) -> list[PlannedCell]:
    """The cells of a task in the order in which they are measured: another in every trial, the same for every engine
    with the same grid, so that no filter is always the one that finds the engine cold.
    """
    if task.trials is not None and session.trial >= task.trials:
        return []
    cells = task.cells(filters, session.searches)
    rng = np.random.default_rng([scenario.seed & 0xFFFFFFFF, session.trial, *task.name.encode()])
    return [cells[place] for place in rng.permutation(len(cells))]


def blank(session: Session, cell: PlannedCell) -> Measurement:
    """The measurement of a cell before anything was measured."""
    params: dict[str, Any] = {"index": session.index}
    if cell.load:
        params |= {"search": cell.search or {}, "load": cell.load}
    return Measurement(
        engine=session.label,
        adapter=session.adapter,
        trial=session.trial,
        task=cell.task,
        kind=cell.kind,
        filter=cell.filter,
        executor=cell.load.get("executor"),
        params=params,
    )


def session_cells(scenario: Scenario, session: Session, filters: WorkloadNames) -> list[Measurement]:
    """Every cell of a session that is known beforehand, blank and in the order of the tasks; index first."""
    return [
        blank(session, cell)
        for task in scenario.ordered_tasks
        for cell in task_cells(scenario, session, task, filters)
    ]


def identity(cell: Measurement, scenario: Scenario) -> str:
    """The cell's key, without the search parameters where they are only chosen while running."""
    chosen = {task.name for task in scenario.tasks if getattr(task, "params", None) == "operating_point"}
    if cell.task not in chosen:
        return cell.key
    return cell.model_copy(update={"params": cell.params | {"search": {}}}).key
