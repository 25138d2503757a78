"""The cells of all runs brought together, so that the same work is compared."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from harness.results.frame import cells_frame, reasons_frame
from harness.results.result import RunResult
from reports.wording import load_text, settings

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

# What makes cells of two runs the same measurement, the trial apart.
_SAME = ["engine", "task", "kind", "executor", "index", "search", "load", "filter"]
# What a finding over all cells has in common.
_GROUP = ["engine", "task", "kind", "executor", "load"]


@dataclass(frozen=True, slots=True)
class MatchedCells:
    """Cells of several runs, the current one last.

    keys: one row a measurement, with the columns of `_SAME`, `load_kind` (executor or kind of task) and `group`
    (the number of its engine, task and load). cells: one row a cell, with its `run`, `key` and `round` (0 for the
    lowest trial) beside the columns of `cells_frame`. runs, rounds: how many there are. labels: how findings name
    each key, and group_labels all the cells of a group: engine, settings, task, filter, load. group_loads: the
    `load_kind` of each group. reasons: why metrics are missing in the current run, by key and metric.
    """

    keys: pd.DataFrame
    cells: pd.DataFrame
    runs: int
    rounds: int
    labels: list[dict[str, Any]]
    group_labels: list[dict[str, Any]]
    group_loads: list[str]
    reasons: dict[tuple[int, str], str]

    def reason(self, key: int, metric: str) -> str:
        """Why the current run lacks the metric."""
        return self.reasons.get((key, metric), "not recorded")

    def values(self, metric: str) -> Floats:
        """[keys, runs, rounds]; NaN where a cell failed, or lacks the metric or a finite value."""
        found = np.full((len(self.keys), self.runs, self.rounds), np.nan)
        if metric in self.cells:
            column = self.cells[metric].where(self.cells["error"].isna()).to_numpy(np.float64)
            found[self.cells["key"], self.cells["run"], self.cells["round"]] = column
        return np.where(np.isfinite(found), found, np.nan)

    def counted(self, rows: pd.DataFrame) -> Ints:
        """How many of these cells each key has in each run, [keys, runs]."""
        found = np.zeros((len(self.keys), self.runs), dtype=np.int64)
        np.add.at(found, (rows["key"].to_numpy(), rows["run"].to_numpy()), 1)
        return found


def matched(runs: Sequence[RunResult]) -> MatchedCells:
    """Matches the cells of the runs, the current one last.

    Where a task runs at the engine's operating point, the search setting does not count: which one that is may change,
    and the engine answers for the one it ends up with.
    """
    frames = []
    for number, run in enumerate(runs):
        frame = cells_frame(run.measurements).assign(run=number)
        tasks = run.scenario.get("tasks", [])
        moving = [task["name"] for task in tasks if task.get("params") == "operating_point"]
        frame.loc[frame["task"].isin(moving), "search"] = "{}"
        frames.append(frame)
    cells = pd.concat(frames, ignore_index=True)
    cells["executor"] = cells["executor"].fillna("")
    grouped = cells.groupby(_SAME, sort=False)
    cells["key"] = grouped.ngroup()
    cells["round"] = cells["trial"].rank(method="dense").astype("int64") - 1
    keys = cells.drop_duplicates("key").set_index("key")[_SAME]
    keys["load_kind"] = keys["executor"].where(keys["executor"] != "", keys["kind"])
    keys["group"] = keys.groupby(_GROUP, sort=False).ngroup()
    labels = [_label(key) for key in keys.to_dict("records")]
    group_labels = [_group_label([labels[key] for key in group.index]) for _, group in keys.groupby("group")]
    reasons = _reasons(runs[-1], cells, len(runs) - 1)
    loads = keys.drop_duplicates("group").sort_values("group")["load_kind"].tolist()
    return MatchedCells(
        keys, cells, len(runs), cells["trial"].nunique(), labels, group_labels, loads, reasons
    )


def _label(key: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "engine": key["engine"],
        "settings": settings(json.loads(key["index"]), json.loads(key["search"])),
        "task": key["task"],
        "filter": key["filter"] if key["kind"] == "search" else "",
        "load": load_text(json.loads(key["load"])),
    }


def _group_label(labels: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What the cells have in common; `all filters` and `all settings` where they differ."""
    several = {part for part in ("settings", "filter") if len({label[part] for label in labels}) > 1}
    names = {"settings": "all settings", "filter": "all filters"}
    return labels[0] | {part: names[part] for part in several}


def _reasons(run: RunResult, cells: pd.DataFrame, number: int) -> dict[tuple[int, str], str]:
    """Why metrics are missing in the current run, by key and metric, from the first trial that has a reason."""
    keys = cells.loc[cells["run"] == number, "key"].to_numpy()
    reasons = reasons_frame(run.measurements)
    found: dict[tuple[int, str], str] = {}
    columns = (keys[reasons["cell"].to_numpy(np.int64)], reasons["metric"], reasons["reason"])
    for key, metric, reason in zip(*columns, strict=True):
        found.setdefault((int(key), metric), reason)
    return found
