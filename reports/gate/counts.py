"""Counts compared as rates: events that should not happen, per request."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from harness.results.metrics import gated, spec
from harness.results.stats import dispersion, rate_rise_bound, rate_rise_events, rate_rise_p
from reports.gate.findings import Finding
from reports.gate.matching import Bools, Floats, MatchedCells
from reports.gate.noise import FALSE_ALARMS
from reports.gate.tolerance import Tolerance

# Each of the two families of counts may have this share of the gate's false alarms; figures have the rest.
_LEVEL = 0.1 * FALSE_ALARMS


@dataclass(frozen=True, slots=True)
class Counts:
    """One count of n cells, or of n times all cells of an engine's task.

    events, exposure: [n, runs, rounds], how many of how many requests (of one window each, where requests were not
    counted); NaN where not measured. never: bool[n], whether no cell of the engine's task had any in the baselines.
    labels: how findings name them.
    """

    metric: str
    events: Floats
    exposure: Floats
    never: Bools
    labels: list[dict[str, Any]]
    over_cells: bool

    def totals(self) -> tuple[Floats, Floats, Floats, Floats]:
        """Events and exposure of the current run, then of the baselines."""
        sides = (slice(-1, None), slice(None, -1))
        now, before = ([_total(part[:, side]) for part in (self.events, self.exposure)] for side in sides)
        return now[0], now[1], before[0], before[1]

    def tested(self) -> Bools:
        """Where there are rates to compare."""
        after, _, before, _ = self.totals()
        return ~self.never & (after + before > 0)


def judge_counts(cells: MatchedCells, comparable: Bools, tolerance: Tolerance) -> list[Finding]:
    """Findings on every count, over all cells of an engine's task and (where events occurred) cell by cell.

    Any rise from zero fails, zero being that of all cells of an engine's task: of rare events one cell has none by
    chance. Otherwise the rate must not be higher than the baseline's by surely more than the
    tolerance: the exact conditional test of two Poisson rates, corrected for the number of comparisons. Events that
    come in bursts are discounted by their dispersion over the trials.
    """
    families: tuple[list[Counts], list[Counts]] = ([], [])
    for load in cells.keys["load_kind"].unique():
        keys = comparable & (cells.keys["load_kind"] == load).to_numpy()
        for metric in (known.name for known in gated(load, 0) if known.is_count):
            overall, single = _counts(cells, keys, metric)
            families[0].append(overall)
            families[1].append(single)
    found = []
    for family in families:
        comparisons = sum(int(counts.tested().sum()) for counts in family)
        for counts in family:
            found += _findings(counts, tolerance(counts.metric), _LEVEL / max(comparisons, 1))
    return found


def _counts(cells: MatchedCells, keys: Bools, metric: str) -> tuple[Counts, Counts]:
    """The counts over all cells of an engine's task, and those of single cells where there are several."""
    events = cells.values(metric)
    measured = np.isfinite(events[:, :-1]).any(axis=(1, 2)) & np.isfinite(events[:, -1]).any(axis=1)
    rows = np.flatnonzero(keys & measured)
    events, exposure = events[rows], cells.values(str(spec(metric).out_of))[rows]
    uncounted = np.asarray((np.isfinite(events) & ~(exposure > 0)).any(axis=(1, 2)))
    exposure = np.where(uncounted[:, None, None], 1.0, exposure)
    exposure = np.where(np.isfinite(events), exposure, np.nan)
    numbers, codes = np.unique(cells.keys["group"].to_numpy(np.int64)[rows], return_inverse=True)
    several: Bools = np.bincount(codes, minlength=len(numbers)) > 1
    sums = _summed(events, codes, len(numbers)), _summed(exposure, codes, len(numbers))
    never = _total(sums[0][:, :-1]) == 0
    overall = Counts(metric, *sums, never, [cells.group_labels[number] for number in numbers], True)
    part = several[codes]
    labels = [cells.labels[key] for key in rows[part]]
    return overall, Counts(metric, events[part], exposure[part], never[codes][part], labels, False)


def _summed(values: Floats, codes: Any, size: int) -> Floats:
    """Sums by code; NaN where no value is."""
    total = np.zeros((size, *values.shape[1:]))
    seen = np.zeros(total.shape, np.bool_)
    np.add.at(total, codes, np.where(np.isfinite(values), values, 0.0))
    np.logical_or.at(seen, codes, np.isfinite(values))
    return np.where(seen, total, np.nan)


def _total(values: Floats) -> Floats:
    return np.asarray(np.where(np.isfinite(values), values, 0.0).sum(axis=(1, 2)))


def _bursts(counts: Counts) -> float:
    """The dispersion of events over trials, baselines and current run apart: what differs between them is no noise."""
    runs, trials = counts.events.shape[1:]
    sides = []
    for values in (counts.events, counts.exposure):
        baseline = values[:, :-1].reshape(len(values), (runs - 1) * trials)
        current = np.full(baseline.shape, np.nan)
        current[:, :trials] = values[:, -1]
        sides.append(np.concatenate([baseline, current]))
    return dispersion(*sides)


def _findings(counts: Counts, accepted: float, level: float) -> list[Finding]:
    """level: of each comparison, corrected for their number."""
    after, asked, before, asked_before = counts.totals()
    bursts = _bursts(counts)
    given = (after / bursts, asked, before / bursts, asked_before)
    surely = np.where(counts.never, after > 0, rate_rise_p(*given, 1 + accepted) <= level)
    best = rate_rise_bound(*given, level)
    enough = np.ceil(rate_rise_events(asked, before / bursts, asked_before, level, 1 + accepted) * bursts)
    found = []
    for number, label in enumerate(counts.labels):
        if not counts.over_cells and before[number] == after[number] == 0:
            continue
        per_event = asked_before[number] / asked[number] / before[number] if before[number] else None
        rise = after[number] * per_event if per_event is not None else None
        higher = after[number] > 0 if rise is None else rise > 1 + accepted
        finding = Finding(
            **label,
            metric=counts.metric,
            verdict="regressed" if surely[number] else "within noise" if higher else "ok",
            baseline=float(before[number]),
            current=float(after[number]),
            note=f"of {asked_before[number]:,.0f} and {asked[number]:,.0f}",
            over_cells=counts.over_cells,
        )
        if rise is not None and per_event is not None:
            caught = float(enough[number] * per_event)
            finding = replace(finding, change=float(rise), at_best=float(best[number]), caught=caught)
        found.append(finding)
    return found
