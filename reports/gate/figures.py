"""Figures compared: is one worse by more than the tolerance, however noisy the runs are?"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.results.metrics import gated, spec
from reports.gate.findings import Finding, FindingVerdict
from reports.gate.matching import Bools, Floats, Ints, MatchedCells
from reports.gate.tolerance import is_difference

_PERCENTILE = re.compile(r"_p\d+_")


@dataclass(frozen=True, slots=True)
class Figures:
    """n figures to be compared.

    metrics: their names. owners: the key of each; where `over_cells`, the number of the cells that it is an average of.
    worse: [n, runs, rounds], how bad each was: the logarithm (recall as it is), negative where higher is better, NaN
    where not measured. before, after: [n], baseline and current in the metric's unit.
    """

    metrics: list[str]
    owners: Ints
    over_cells: Bools
    worse: Floats
    before: Floats
    after: Floats

    def __len__(self) -> int:
        return len(self.metrics)

    def some(self, rows: Bools) -> Figures:
        """Those where `rows` is true."""
        names = [name for name, kept in zip(self.metrics, rows, strict=True) if kept]
        return Figures(
            names,
            self.owners[rows],
            self.over_cells[rows],
            self.worse[rows],
            self.before[rows],
            self.after[rows],
        )

    def label(self, cells: MatchedCells, number: int) -> dict[str, Any]:
        """How a finding names the cells of one of them."""
        owner = int(self.owners[number])
        return cells.group_labels[owner] if self.over_cells[number] else cells.labels[owner]

    def loads(self, cells: MatchedCells) -> list[str]:
        """The executor or kind of task that each is of."""
        single, groups = cells.keys["load_kind"].tolist(), cells.group_loads
        owners = zip(self.owners.tolist(), self.over_cells.tolist(), strict=True)
        return [groups[owner] if over_cells else single[owner] for owner, over_cells in owners]


def joined(parts: Sequence[Figures]) -> Figures:
    """Several as one."""
    arrays = ("owners", "over_cells", "worse", "before", "after")
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in arrays]
    return Figures([name for part in parts for name in part.metrics], *columns)


def figures_of_cells(cells: MatchedCells, comparable: Bools, k: int) -> tuple[Figures, list[Finding]]:
    """Every figure that varies, cell by cell; and findings on those that cannot be compared, for they are missing from
    the current run or have no logarithm.
    """
    parts, findings = [_none(cells)], []
    for load in cells.keys["load_kind"].unique():
        rows = np.flatnonzero(comparable & (cells.keys["load_kind"] == load).to_numpy())
        for metric in (known.name for known in gated(load, k) if not known.is_count):
            values = cells.values(metric)[rows]
            measured = np.isfinite(values[:, :-1]).any(axis=(1, 2))
            still = np.isfinite(values[:, -1]).any(axis=1)
            findings += [_missing(cells, int(key), metric) for key in rows[measured & ~still]]
            both = measured & still
            usable, noted = _with_logarithm(cells, rows[both], metric, values[both])
            findings += noted
            parts.append(_figures(metric, rows[both][usable], values[both][usable]))
    return joined(parts), findings


def _none(cells: MatchedCells) -> Figures:
    nothing = np.zeros(0)
    shape = (0, cells.runs, cells.rounds)
    return Figures([], np.zeros(0, np.int64), np.zeros(0, np.bool_), np.zeros(shape), nothing, nothing)


def _missing(cells: MatchedCells, key: int, metric: str) -> Finding:
    # A slower engine may answer too few requests for a percentile; its throughput is compared all the same.
    verdict: FindingVerdict = "not comparable" if _PERCENTILE.search(metric) else "missing"
    return Finding(**cells.labels[key], metric=metric, verdict=verdict, note=cells.reason(key, metric))


def _with_logarithm(
    cells: MatchedCells, keys: Ints, metric: str, values: Floats
) -> tuple[Bools, list[Finding]]:
    """Which figures have a ratio, and findings on the others.

    A fall to 0 where higher is better means that the engine has stopped, which no noise explains; 0 before and after is
    no change.
    """
    if is_difference(metric):
        return np.ones(len(keys), np.bool_), []
    above = np.where(np.isfinite(values), values, 1.0) > 0
    low = np.where(np.isfinite(values), values, 0.0).max(axis=2) <= 0
    usable = np.asarray(above.all(axis=(1, 2)))
    findings = []
    for number in np.flatnonzero(~usable):
        verdict: FindingVerdict = "inconclusive"
        note = "a value of 0 has no ratio"
        if low[number].all():
            verdict, note = "ok", "0 in both"
        elif low[number, -1] and spec(metric).better == "higher":
            verdict, note = "regressed", "it fell to 0"
        before, after = (_mean(values[number, side]) for side in (slice(None, -1), slice(-1, None)))
        label = cells.labels[int(keys[number])]
        findings.append(
            Finding(**label, metric=metric, verdict=verdict, baseline=before, current=after, note=note)
        )
    return usable, findings


def _mean(values: Floats) -> float:
    return float(values[np.isfinite(values)].mean())


def _figures(metric: str, keys: Ints, values: Floats) -> Figures:
    worse = values if is_difference(metric) else np.log(values)
    before, after = _centre(worse)
    shown = (before, after) if is_difference(metric) else (np.exp(before), np.exp(after))
    sign = -1.0 if spec(metric).better == "higher" else 1.0
    return Figures([metric] * len(keys), keys, np.zeros(len(keys), np.bool_), sign * worse, *shown)


def _centre(values: Floats) -> tuple[Floats, Floats]:
    """Means of the baselines (each run counts the same) and of the current run, [n] each."""
    seen = np.isfinite(values)
    count = seen.sum(axis=2)
    means = np.where(seen, values, 0.0).sum(axis=2) / np.maximum(count, 1)
    return means[:, :-1].sum(axis=1) / np.maximum((count[:, :-1] > 0).sum(axis=1), 1), means[:, -1]


def figures_over_cells(cells: MatchedCells, single: Figures) -> tuple[Figures, Bools]:
    """The mean of each metric over all cells of an engine's task and load, trial by trial, where there are several
    (geometric, but for recall); and which of the single figures have one.

    Each cell counts by its distance from its own baseline, so that one that lacks a trial does not shift the mean.
    """
    codes, names, groups = _codes(cells, single)
    size = np.bincount(codes, minlength=len(names))
    covered = size[codes] > 1
    before, _ = _centre(single.worse)
    distance = single.worse - before[:, None, None]
    total = np.zeros((len(names), *distance.shape[1:]))
    count = np.zeros(total.shape, np.int64)
    np.add.at(total, codes, np.where(np.isfinite(distance), distance, 0.0))
    np.add.at(count, codes, np.isfinite(distance))
    with np.errstate(invalid="ignore"):
        mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    shown = [_levels(names, codes, size, level) for level in (single.before, single.after)]
    overall = Figures(names, groups, np.ones(len(names), np.bool_), mean, *shown)
    return overall.some(size > 1), covered


def _codes(cells: MatchedCells, single: Figures) -> tuple[Ints, list[str], Ints]:
    """The number of each figure's metric and group of cells, and the two by that number."""
    groups = cells.keys["group"].to_numpy(np.int64)[single.owners]
    order = {
        pair: number
        for number, pair in enumerate(dict.fromkeys(zip(single.metrics, groups.tolist(), strict=True)))
    }
    codes = np.array(
        [order[pair] for pair in zip(single.metrics, groups.tolist(), strict=True)], dtype=np.int64
    )
    return codes, [metric for metric, _ in order], np.array([group for _, group in order], dtype=np.int64)


def _levels(names: Sequence[str], codes: Ints, size: Ints, values: Floats) -> Floats:
    """The mean of values in the metric's unit by code, geometric but for recall."""
    difference = np.array([is_difference(name) for name in names], dtype=np.bool_)
    scaled = np.where(difference[codes], values, np.log(np.where(difference[codes], 1.0, values)))
    mean = np.bincount(codes, scaled, minlength=len(names)) / np.maximum(size, 1)
    return np.where(difference, mean, np.exp(np.where(difference, 0.0, mean)))
