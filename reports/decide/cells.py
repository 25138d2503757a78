"""The cells of a run, grouped the way decisions and charts ask for them, and their metrics as arrays."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.results.frame import canonical, cells_frame
from harness.results.result import Measurement, RunResult
from reports.wording import settings

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

NOT_RECORDED = "not recorded"  # a metric that the result lacks, for instance one of an earlier version
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


@dataclass(frozen=True, slots=True)
class TrialGroup:
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
                return cell.reasons.get(metric, NOT_RECORDED)
        return None

    @property
    def place(self) -> str:
        """Where it was measured, as text: `filter brand at 200/s`."""
        parts = [f"filter {self.filter}"] if self.kind == "search" else [f"task {self.task}"]
        return " ".join(parts + ([f"at {self.rate:,g}/s"] if self.rate is not None else []))


def trial_groups(cells: Iterable[Measurement]) -> list[TrialGroup]:
    """Groups of the same task, filter and load, in order of appearance; parameters are the caller's."""
    buckets: dict[tuple[str, str, str], list[Measurement]] = defaultdict(list)
    for cell in cells:
        buckets[cell.task, cell.filter, canonical(cell.params.get("load", {}))].append(cell)
    return [_trial_group(found) for found in buckets.values()]


def _trial_group(cells: Sequence[Measurement]) -> TrialGroup:
    first = cells[0]
    rate = first.params.get("load", {}).get("rate")
    ordered = tuple(sorted(cells, key=lambda cell: cell.trial))
    return TrialGroup(first.task, first.kind, first.filter, first.executor, rate, ordered)


class Cells:
    """A run's cells by setting and by trial. Everything is indexed once, in time linear in the cells.

    frame: `cells_frame` of the run. groups: the cells that differ only in the trial; configurations: of each
    group. trials: the trials that occur, in order.

    objective_task: the closed-loop task whose throughput is compared: the one that covers most cells of the grid, of
    several the one with most clients. filters: those of that task, over all engines, so that an engine that lacks one
    shows a gap; filters that let nothing through are not among them: a search that finds nothing says nothing about an
    engine. candidates: every configuration of that task.
    """

    def __init__(self, result: RunResult) -> None:
        self.result = result
        self.k = int(result.scenario.get("k", 10))
        self.frame = cells_frame(result.measurements)
        numbers = self.frame.groupby(_GROUP, sort=False, dropna=False).ngroup()
        self._group_of: Ints = np.asarray(numbers, dtype=np.int64)
        members: list[list[Measurement]] = [[] for _ in range(int(self._group_of.max(initial=-1)) + 1)]
        for number, cell in zip(self._group_of, result.measurements, strict=True):
            members[number].append(cell)
        self.groups = tuple(_trial_group(cells) for cells in members)
        first = self.frame.iloc[np.unique(self._group_of, return_index=True)[1]]
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
        self.has_arrivals = any(group.executor == "arrival_rate" for group in self.groups)

    def _index_groups(self) -> None:
        self._search: dict[Configuration, list[int]] = defaultdict(list)
        self._build: dict[tuple[str, str], list[int]] = defaultdict(list)
        for number, (group, setting) in enumerate(zip(self.groups, self.configurations, strict=True)):
            if group.kind == "search":
                self._search[setting].append(number)
            else:
                self._build[setting.engine, setting.index_json].append(number)
        self.objective_task = self._choose_objective_task()
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

    def _choose_objective_task(self) -> str | None:
        covered: dict[str, int] = defaultdict(int)
        clients: dict[str, int] = {}
        for group in self.groups:
            if group.kind == "search" and group.executor == "closed_loop":
                covered[group.task] += 1
                clients[group.task] = int(group.cells[0].params.get("load", {}).get("clients", 1))
        return max(covered, key=lambda task: (covered[task], clients[task]), default=None)

    def _is_objective(self, group: TrialGroup) -> bool:
        return (
            group.kind == "search" and group.executor == "closed_loop" and group.task == self.objective_task
        )

    def search_numbers(self, setting: Configuration) -> list[int]:
        """Numbers of every search group of a setting, closed loop and offered rate."""
        return self._search.get(setting, [])

    def build_numbers(self, setting: Configuration) -> list[int]:
        """Numbers of the groups of other tasks (index, updates, ...) on the index that a setting searches."""
        return self._build.get((setting.engine, setting.index_json), [])

    def objective_numbers(self, setting: Configuration) -> list[int]:
        """Numbers of the groups whose throughput decides, one a filter."""
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
        """The groups whose throughput decides, one a filter."""
        return [self.groups[number] for number in self.objective_numbers(setting)]

    def offered(self) -> dict[tuple[str, str], list[TrialGroup]]:
        """Groups with an offered rate by engine and index (as JSON), at whichever setting was the operating
        point in a trial.
        """
        cells: dict[tuple[str, str], list[Measurement]] = defaultdict(list)
        for group, setting in zip(self.groups, self.configurations, strict=True):
            if group.executor == "arrival_rate":
                cells[setting.engine, setting.index_json] += group.cells
        return {build: trial_groups(found) for build, found in cells.items()}

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
        """Every cell of an engine, whatever its parameters."""
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
        kinds = (any(text.split(" ")[0].rstrip(":") == flag for text in own) for own in self.frame["flags"])
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
