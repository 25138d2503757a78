"""The cells of a run, grouped the way decisions and charts ask for them, and their metrics as arrays."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.results.metrics import CLOSED, OPEN, SATURATION
from harness.results.result import Measurement, RunResult
from harness.scenario.specs import DecisionSpec
from reports.decide.groups import CellColumns, TrialGroup, flag_kind
from reports.decide.objective import Objective
from reports.wording import settings

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_ATTRIBUTES = ("task", "kind", "filter", "executor", "rate", "share")
_GROUP = ["engine", "adapter", "index", "search", "kind", "task", "filter", "load"]


@dataclass(frozen=True, slots=True)
class Configuration:
    """An engine entry with one setting of its grid. Parameters are held as canonical JSON."""

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


class Cells:
    """A run's cells by setting and by trial. Everything is indexed once, in time linear in the cells.

    frame: `cells_frame` of the run. groups: the cells that differ only in the trial; configurations: of each
    group. trials: the trials that occur, in order.

    goal: the objective. objective_task: the task whose figures are compared, under the load that the objective asks
    for: the one that covers most cells of the grid, of several the one with most clients. objective_rate: of a task
    with offered rates the highest, queries/s; of several for different engines the one that most settings were measured
    at. filters: those of that task, over all engines, so that an engine that lacks one shows a gap; filters that let
    nothing through are not among them: a search that finds nothing says nothing about an engine. candidates: every
    configuration of that task.
    """

    def __init__(self, result: RunResult, objective: Objective | None = None) -> None:
        """objective: the scenario's by default."""
        self.result = result
        spec = DecisionSpec.model_validate(result.scenario.get("decision", {}))
        self.goal = objective or Objective.of(spec)
        self.k = int(result.scenario.get("k", 10))
        self.columns = CellColumns(result.measurements)
        self.frame = self.columns.frame
        numbers = self.frame.groupby(_GROUP, sort=False, dropna=False).ngroup()
        self._group_of: Ints = np.asarray(numbers, dtype=np.int64)
        order = np.lexsort((self.frame["trial"].to_numpy(), self._group_of))
        starts = np.flatnonzero(np.diff(self._group_of[order])) + 1
        rows = [part.tolist() for part in np.split(order, starts)] if len(order) else []
        attributes = (self.frame[name].astype(object) for name in _ATTRIBUTES)
        self._attributes = [values.where(values.notna(), None).tolist() for values in attributes]
        self.groups = tuple(map(self._group, rows))
        first = self.frame.iloc[[own[0] for own in rows]]
        columns = (first[name].tolist() for name in ("engine", "adapter", "index", "search"))
        self.configurations = [Configuration(*parts) for parts in zip(*columns, strict=True)]
        self.trials: tuple[int, ...] = tuple(sorted(set(self.frame["trial"].tolist())))
        self._matrices: dict[str, Floats] = {}
        self._index_groups()
        self.engines = tuple(
            dict.fromkeys(
                [entry.get("label") or entry["engine"] for entry in result.scenario.get("engines", [])]
                + list(result.engines)
                + [setting.engine for setting in self.configurations]
            )
        )
        self.has_arrivals = any(group.executor == OPEN for group in self.groups)
        self.has_saturation = any(group.executor == SATURATION for group in self.groups)

    def _group(self, rows: Sequence[int]) -> TrialGroup:
        """The group of these rows of the frame, which are ordered by trial."""
        task, kind, name, executor, rate, share = (values[rows[0]] for values in self._attributes)
        return TrialGroup(task, kind, name, executor, rate, share, self.columns, tuple(rows))

    def _index_groups(self) -> None:
        self._search: dict[Configuration, list[int]] = defaultdict(list)
        self._build: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, (group, setting) in enumerate(zip(self.groups, self.configurations, strict=True)):
            if group.kind == "search":
                self._search[setting].append(number)
            else:
                self._build[setting.engine, setting.index_json].append(number)
        self.objective_task, self.objective_rate = self._choose_objective_task()
        empty = {
            entry["name"]
            for entry in self.result.dataset.get("filters") or []
            if entry.get("selectivity_max") == 0
        }
        objective = [number for number, group in enumerate(self.groups) if self._is_objective(group)]
        kept = [number for number in objective if self.groups[number].filter not in empty]
        self.empty_filters = tuple(
            name for name in dict.fromkeys(self.groups[n].filter for n in objective) if name in empty
        )
        self.filters = tuple(dict.fromkeys(self.groups[number].filter for number in kept))
        self.candidates = tuple(dict.fromkeys(self.configurations[number] for number in kept))

    def _choose_objective_task(self) -> tuple[str | None, float | None]:
        """The task, and the rate offered in it."""
        searches = [group for group in self.groups if group.kind == "search"]
        measured = {group.executor for group in searches}
        executor = next((load for load in self.goal.executors if load in measured), None)
        covered: Counter[str] = Counter(group.task for group in searches if group.executor == executor)
        clients: dict[str, float] = {}
        asked = self.frame["clients"].fillna(1.0).tolist()
        for group in searches:
            clients[group.task] = asked[group.rows[0]]
        task = max(covered, key=lambda name: (covered[name], clients[name]), default=None)
        rates = Counter(group.rate for group in searches if group.task == task and group.rate is not None)
        return task, max(rates, key=lambda rate: (rates[rate], rate), default=None)

    def _is_objective(self, group: TrialGroup) -> bool:
        place = group.kind, group.task, group.rate
        return place == ("search", self.objective_task, self.objective_rate)

    @cached_property
    def mixed(self) -> tuple[str, ...]:
        """The filters that count in the mix."""
        shares = self.goal.shares(self.filters)
        return tuple(name for name, share in zip(self.filters, shares, strict=True) if share > 0)

    def weighing(self, filters: Sequence[str]) -> Floats:
        """How much of the mix each of these filters is, which sums to 1 over all filters; NaN where none counts."""
        shares = dict(zip(self.filters, self.goal.shares(self.filters), strict=True))
        return np.array([shares[name] for name in filters])

    @cached_property
    def closed_loop(self) -> Cells:
        """The run as an objective of throughput sees it: what charts of recall and throughput show."""
        if CLOSED in self.goal.executors[:1]:
            return self
        return Cells(self.result, replace(self.goal, metric="throughput_qps", maximise=True))

    def search_numbers(self, setting: Configuration) -> list[int]:
        """Numbers of every search group of a setting, closed loop and offered rate."""
        return self._search.get(setting, [])

    def build_numbers(self, setting: Configuration) -> list[int]:
        """Numbers of the groups of other tasks (index, updates, ...) on the index that a setting searches."""
        return self._build.get((setting.engine, setting.index_json), [])

    def objective_numbers(self, setting: Configuration) -> list[int]:
        """Numbers of the groups whose figures decide, one a filter."""
        wanted = set(self.filters)
        return [
            number
            for number in self.search_numbers(setting)
            if self._is_objective(self.groups[number]) and self.groups[number].filter in wanted
        ]

    def search(self, setting: Configuration) -> list[TrialGroup]:
        """Every search group of a setting, closed loop and offered rate."""
        return [self.groups[number] for number in self.search_numbers(setting)]

    def objective(self, setting: Configuration) -> list[TrialGroup]:
        """The groups whose figures decide, one a filter."""
        return [self.groups[number] for number in self.objective_numbers(setting)]

    def offered(self) -> dict[tuple[str, str], list[TrialGroup]]:
        """Groups with an offered rate or a share of the capacity, by engine and index (as JSON), at whichever setting
        was the operating point in a trial.
        """
        load, trials = self.frame["load"].tolist(), self.columns.trials
        found: dict[tuple[str, str], dict[tuple[str, str, str], list[int]]] = defaultdict(dict)
        for group, setting in zip(self.groups, self.configurations, strict=True):
            if group.executor in (OPEN, SATURATION):
                same = found[setting.engine, setting.index_json]
                same.setdefault((group.task, group.filter, load[group.rows[0]]), []).extend(group.rows)
        return {
            build: [self._group(sorted(rows, key=trials.__getitem__)) for rows in own.values()]
            for build, own in found.items()
        }

    def build(self, setting: Configuration, kind: str) -> list[TrialGroup]:
        """The groups of one kind of task other than search (`index`, ...) on the index that a setting searches."""
        found = [self.groups[number] for number in self.build_numbers(setting)]
        return [group for group in found if group.kind == kind]

    @cached_property
    def _by_engine(self) -> Mapping[str, list[Measurement]]:
        found: dict[str, list[Measurement]] = defaultdict(list)
        for cell in self.result.measurements:
            found[cell.engine].append(cell)
        return found

    def of_engine(self, engine: str) -> list[Measurement]:
        """Every cell of an engine, whatever its parameters; single cells are read as they are."""
        return self._by_engine.get(engine, [])

    @cached_property
    def present(self) -> Bools:
        """Whether a cell exists, [groups, trials]."""
        return ~np.isnan(self._spread(np.ones(len(self.frame))))

    @cached_property
    def failed(self) -> Bools:
        """Whether a cell failed as a whole, [groups, trials]."""
        failed: Floats = self.frame["error"].notna().to_numpy().astype(np.float64)
        return np.asarray(self._spread(failed) == 1)

    def flag_counts(self, flag: str) -> Ints:
        """In how many trials a flag was raised, [groups]."""
        kinds = (any(flag_kind(text) == flag for text in own) for own in self.columns.flags)
        raised = np.fromiter(kinds, np.bool_, len(self.frame))
        return np.bincount(self._group_of[raised], minlength=len(self.groups))

    def flagged(self, flag: str) -> Bools:
        """Whether a flag was raised in any trial, [groups]."""
        return np.asarray(self.flag_counts(flag) > 0)

    def matrix(self, metric: str) -> Floats:
        """A metric's values, [groups, trials]; NaN where there is none, also of cells that failed as a whole."""
        if metric not in self._matrices:
            known = metric in self.frame
            column = self.frame[metric].to_numpy(np.float64) if known else np.full(len(self.frame), np.nan)
            self._matrices[metric] = self._spread(column)
        return self._matrices[metric]

    def _spread(self, column: Floats) -> Floats:
        values = np.full((len(self.groups), len(self.trials)), np.nan)
        place = np.searchsorted(np.array(self.trials, dtype=np.int64), self.frame["trial"].to_numpy(np.int64))
        values[self._group_of, place] = column
        return values
