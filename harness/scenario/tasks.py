"""The kinds of tasks that a scenario may name: their keys, and the cells that each plans.

A kind is a class here and a function of the same kind in `harness.tasks`, which measures its cells; `TASKS` there and
`Task` here list them.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from engines.meant import choices
from harness.results.result import Measurement
from harness.scenario.cells import Params, PlannedCell, WorkloadNames
from harness.scenario.strict import LONGEST_S, Listed, Name, PositiveInt, Seconds, StrictModel

# A second; more than any client can send, and its schedule is held in memory.
Rate = Annotated[float, Field(gt=0, le=1e7)]
Share = Annotated[float, Field(gt=0, le=10)]


class TaskSpec(StrictModel):
    """What every kind of task has.

    builds: it builds the index; a scenario has one such task, and it runs first. changes_items: what comes after it
    finds other items than were indexed. fewest_items: how many items it needs. trials: it is measured in the first so
    many trials only; None: in all.
    """

    builds: ClassVar[bool] = False
    changes_items: ClassVar[bool] = False
    fewest_items: ClassVar[int] = 1

    task: str
    name: Name
    trials: PositiveInt | None = None

    def problems(self, filters: Sequence[str], earlier: Sequence[TaskSpec]) -> list[str]:
        """What is wrong with it in a scenario with these filters, after these tasks, each beginning with the key."""
        return []

    def cells(self, filters: WorkloadNames, searches: Sequence[Params]) -> list[PlannedCell]:
        """The cells that are known before anything is measured."""
        return [PlannedCell(self.name, self.task)]

    def further_cells(self, measured: Sequence[Measurement]) -> list[PlannedCell]:
        """Cells to be added after those measured so far of this task in this session, the newest last."""
        return []


class IndexTask(TaskSpec):
    """Load every item and wait until all are searchable. Runs first in every session."""

    builds: ClassVar[bool] = True

    task: Literal["index"]
    name: Name = "index"
    trials: None = None  # without an index there is nothing to measure
    batch_size: PositiveInt = 5000


class SearchTask(TaskSpec):
    """Queries under load.

    closed_loop: each of `clients` sends its next query when the last is answered. arrival_rate: queries are
    due by a schedule of `rate` per second (`poisson` or `constant`) whatever the engine does; `clients`
    bounds how many are in the engine at once. saturation: the same at rates that are `shares` of what this session's
    closed loops reached with the same filter and setting, so that every engine is loaded up to its limit and beyond,
    however fast it is. params: `all` runs the whole search grid, `operating_point`
    only the fastest setting of this session that met the scenario's recall requirement. processes: from how many
    client processes; `auto`: from as many as it takes until the server is the limit, or the machine. warmup_s: at
    least so long, then until the throughput is steady, at most warmup_max_s (five times as long by default).
    """

    task: Literal["search"]
    name: Name
    executor: Literal["closed_loop", "arrival_rate", "saturation"] = "closed_loop"
    clients: Annotated[int, Field(gt=0, le=10_000)] = 1
    processes: Annotated[int, Field(gt=0, le=1_000)] | Literal["auto"] = 1
    rate: Annotated[list[Rate], Field(min_length=1), Listed] | None = None
    shares: Annotated[list[Share], Field(min_length=1), Listed] | None = None
    arrivals: Literal["poisson", "constant"] = "poisson"
    params: Literal["all", "operating_point"] = "all"
    filters: Annotated[list[Name], Field(min_length=1)] | None = None  # names; every filter by default
    duration_s: Seconds = 2.0
    max_queries: Annotated[int, Field(gt=0, le=1_000_000_000)] | None = None
    warmup_s: Annotated[float, Field(ge=0, le=LONGEST_S)] = 0.3
    warmup_max_s: Annotated[float, Field(ge=0, le=LONGEST_S)] | None = None
    timeout_s: Seconds = 10.0

    @model_validator(mode="after")
    def _load_goes_with_executor(self) -> SearchTask:
        for key, executor, unit in (
            ("rate", "arrival_rate", "queries per second"),
            ("shares", "saturation", "of the closed loop's throughput, as in [0.5, 0.9, 1.2]"),
        ):
            given = getattr(self, key)
            if self.executor == executor and given is None:
                raise ValueError(f"{key} is required with executor: {executor} ({unit})")
            if self.executor != executor and given is not None:
                raise ValueError(f"{key} goes with executor: {executor}, not with {self.executor}")
            if given is not None and len(set(given)) < len(given):
                raise ValueError(f"{key} holds a number twice, remove one")
        return self

    @property
    def longest_warmup_s(self) -> float:
        """The time after which a warm-up ends although the throughput is not steady yet."""
        return 5 * self.warmup_s if self.warmup_max_s is None else self.warmup_max_s

    @property
    def loads(self) -> list[Params]:
        """Every load, as in the parameters of a cell."""
        load: Params = {"executor": self.executor, "clients": self.clients}
        if self.processes not in (1, "auto"):
            load["processes"] = self.processes
        key = {"arrival_rate": "rate", "saturation": "share"}.get(self.executor)
        if key is None:
            return [load]
        return [load | {key: value, "arrivals": self.arrivals} for value in self.rate or self.shares or []]

    def problems(self, filters: Sequence[str], earlier: Sequence[TaskSpec]) -> list[str]:
        found = [
            f"filters: unknown filter '{name}' ({choices(name, filters)})"
            for name in self.filters or []
            if name not in filters
        ]
        if self.executor == "saturation":
            loops = [
                task for task in earlier if isinstance(task, SearchTask) and task.executor == "closed_loop"
            ]
            known = {name for task in loops for name in task.filters or filters}
            found += [
                f"executor: saturation takes shares of a throughput, and no task before it has executor: closed_loop "
                f"with filter '{name}'; add one, or leave the filter out"
                for name in self.filters or filters
                if name in filters and name not in known
            ]
        return found

    def cells(self, filters: WorkloadNames, searches: Sequence[Params]) -> list[PlannedCell]:
        """Filters x search grid (or the operating point) x loads."""
        chosen: Sequence[Params | None] = searches if self.params == "all" else [None]
        wanted = [
            name
            for spec, names in filters.items()
            if self.filters is None or spec in self.filters
            for name in names
        ]
        return [
            PlannedCell(self.name, self.task, name, search, load)
            for name, search, load in itertools.product(wanted, chosen, self.loads)
        ]


class AnswersTask(TaskSpec):
    """What each setting answers, for whoever judges it by more than the oracle: every query of the data once under
    every filter, one after another, not timed; the answers are kept.

    hits: how many each query asks for, by its number in the data; k of all where it is None.
    """

    task: Literal["answers"]
    name: Name = "answers"
    hits: Annotated[tuple[PositiveInt, ...], Field(min_length=1)] | None = None

    def cells(self, filters: WorkloadNames, searches: Sequence[Params]) -> list[PlannedCell]:
        """Filters x search grid."""
        wanted = [name for names in filters.values() for name in names]
        return [
            PlannedCell(self.name, self.task, name, search, {"clients": 1})
            for name, search in itertools.product(wanted, searches)
        ]


class UpdateTask(TaskSpec):
    """Upserts and deletes, then checks that deleted items are gone and updated ones obey their filters."""

    changes_items: ClassVar[bool] = True
    fewest_items: ClassVar[int] = 4  # a quarter is changed, a quarter deleted, a quarter written one by one

    task: Literal["updates"]
    name: Name = "updates"
    upserts: PositiveInt = 500
    deletes: PositiveInt = 500
    batch_size: PositiveInt = 100


class DurabilityTask(TaskSpec):
    """What is left of acknowledged writes after the engine was closed and opened again, and after it was killed.

    On a collection of its own with the first `items` items, written in batches.
    """

    task: Literal["durability"]
    name: Name = "durability"
    trials: PositiveInt | None = 1  # what is lost once is lost; there is no noise in it
    items: PositiveInt = 500
    batch_size: PositiveInt = 50


Task = Annotated[
    IndexTask | SearchTask | AnswersTask | UpdateTask | DurabilityTask, Field(discriminator="task")
]
