"""The gate's comparisons: cells of two runs matched, metrics compared, their number accounted for."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.results.frame import canonical
from harness.results.metrics import gated, spec
from harness.results.result import Measurement, RunResult
from harness.results.stats import benjamini_hochberg, compare_differences, compare_ratios
from reports.decide.cells import TrialGroup as Group
from reports.decide.cells import trial_groups as grouped
from reports.gate.rows import Row, Verdict
from reports.wording import settings

Tolerance = Callable[[str], float]

_FALSE_DISCOVERIES = 0.05


@dataclass(frozen=True, slots=True)
class Key:
    """What makes cells of two runs the same measurement, the trial apart.

    search is empty where the task runs at the engine's operating point: which setting that is may change, and
    the engine answers for the one it ends up with.
    """

    engine: str
    task: str
    index: str
    search: str
    load: str
    filter: str


Pair = tuple[Group, Group]


def matched_rows(baseline: RunResult, current: RunResult, tolerance: Tolerance) -> list[Row]:
    """Every comparison of two runs: each filter by itself, and each setting over all its filters.

    Each of the two families is corrected for its number of comparisons (Benjamini and Hochberg, 5 % false
    discoveries). Over all filters noise averages out and comparisons are few, so a change of the engine as a
    whole shows early; filter by filter shows what concerns one filter only.
    """
    before, after = _groups(baseline), _groups(current)
    gone = {key.engine for key in before} - {key.engine for key in after}
    rows = [
        Row(engine, "", "", "", "", "missing", note="the engine was not measured") for engine in sorted(gone)
    ]
    single: list[Row] = []
    families: dict[Key, list[Pair]] = defaultdict(list)
    k = int(current.scenario.get("k", 10))
    for key, group in before.items():
        other = after.get(key)
        if key.engine in gone:
            continue
        if (problem := _problem(key, group, other)) is not None or other is None:
            rows += [problem] if problem else []
            continue
        rows += _compare_counts(key, group, other, tolerance)
        single += _compare(key, [(group, other)], k)
        families[replace(key, filter="")].append((group, other))
    mixed = [row for key, pairs in families.items() if len(pairs) > 1 for row in _compare(key, pairs, k)]
    return rows + _judged(mixed, tolerance) + _judged(single, tolerance) + _new(before, after)


def _new(before: Mapping[Key, Group], after: Mapping[Key, Group]) -> list[Row]:
    known, note = {key.engine for key in before}, "not in the baseline"
    whole = {key.engine for key in after} - known
    rows = [Row(engine, "", "", "", "", "new", note=note) for engine in sorted(whole)]
    added = [(key, group) for key, group in after.items() if key not in before and key.engine not in whole]
    return rows + [_row(key, group, verdict="new", note=note) for key, group in added]


def _groups(result: RunResult) -> dict[Key, Group]:
    moving = {
        task["name"] for task in result.scenario.get("tasks", []) if task.get("params") == "operating_point"
    }
    buckets: dict[Key, list[Measurement]] = defaultdict(list)
    for cell in result.measurements:
        index, search, load = (canonical(cell.params.get(part, {})) for part in ("index", "search", "load"))
        key = Key(cell.engine, cell.task, index, "{}" if cell.task in moving else search, load, cell.filter)
        buckets[key].append(cell)
    return {key: grouped(cells)[0] for key, cells in buckets.items()}


def _row(
    key: Key, group: Group, metric: str = "", *, verdict: Verdict, note: str = "", several: bool = False
) -> Row:
    text = settings(json.loads(key.index), json.loads(key.search))
    place = "all filters" if several else key.filter if group.kind == "search" else ""
    rate = f"{group.rate:,g}/s" if group.rate is not None else ""
    return Row(key.engine, text, key.task, place, metric, verdict, rate, note=note)


def _problem(key: Key, before: Group, after: Group | None) -> Row | None:
    """A row where there is nothing to compare, or where trials fail that did not fail before."""
    if after is None:
        return _row(key, before, verdict="missing", note="not in the current run")
    errors = [[cell for cell in group.cells if cell.error is not None] for group in (before, after)]
    if errors[1] and len(errors[0]) / len(before.cells) < len(errors[1]) / len(after.cells):
        first = errors[1][0]
        return _row(key, before, verdict="failed", note=f"trial {first.trial + 1}: {first.error}")
    if len(errors[0]) == len(before.cells):
        note = f"failed in the baseline: {errors[0][0].error}"
        return _row(key, before, verdict="not comparable", note=note)
    return None


def _compare_counts(key: Key, before: Group, after: Group, tolerance: Tolerance) -> list[Row]:
    """Counts have no noise worth the name: from zero any increase fails, else the worst trials compare."""
    rows = []
    load = before.executor or before.kind
    for metric in (known.name for known in gated(load, 0) if known.is_count):
        old, new = before.values(metric), after.values(metric)
        if not old or not new:
            continue
        worst = max(old.values()), max(new.values())
        grown = worst[1] > worst[0] * (1 + tolerance(metric))
        if worst[1] or worst[0]:
            row = _row(key, before, metric, verdict="regressed" if grown else "ok", note="worst trial")
            rows.append(replace(row, baseline=worst[0], current=worst[1]))
    return rows


def _compare(key: Key, pairs: Sequence[Pair], k: int) -> list[Row]:
    """One row a metric, not judged yet."""
    rows = []
    load = pairs[0][0].executor or pairs[0][0].kind
    for metric in (known.name for known in gated(load, k) if not known.is_count):
        old, new = (_by_trial([pair[side] for pair in pairs], metric) for side in (0, 1))
        if not old:
            continue
        row = _row(key, pairs[0][0], metric, verdict="not comparable", several=len(pairs) > 1)
        rows.append(_missing_value(row, pairs) if not new else _changed(row, old, new))
    return rows


def _by_trial(groups: Sequence[Group], metric: str) -> list[float]:
    """The metric trial by trial; over several filters its mean, geometric but for recall."""
    values = [group.values(metric) for group in groups]
    trials = sorted(set.intersection(*(set(found) for found in values)))
    table = np.array([[found[trial] for trial in trials] for found in values])
    if len(groups) == 1 or metric.startswith("recall_at_"):
        return [float(mean) for mean in table.mean(axis=0)]
    if (table <= 0).any():
        return []
    return [float(mean) for mean in np.exp(np.log(table).mean(axis=0))]


def _missing_value(row: Row, pairs: Sequence[Pair]) -> Row:
    reason = next((gap for _, after in pairs if (gap := after.gap(row.metric)) is not None), "a value of 0")
    # A slower engine answers too few requests for a high percentile; its throughput is compared all the same.
    soft = "_p9" in row.metric or len(pairs) > 1
    return replace(row, verdict="not comparable" if soft else "missing", note=reason)


def _changed(row: Row, old: Sequence[float], new: Sequence[float]) -> Row:
    row = replace(row, baseline=float(np.mean(old)), current=float(np.mean(new)))
    if row.metric.startswith("recall_at_"):
        result = compare_differences(old, new)
    elif min(*old, *new) > 0:
        result = compare_ratios(old, new)
    else:
        return replace(row, note="a value of 0 has no ratio")
    unknown: Verdict = "noise unknown" if result.p_value is None else "within noise"
    return replace(
        row, verdict=unknown, change=result.change, low=result.low, high=result.high, p_value=result.p_value
    )


def _judged(rows: Sequence[Row], tolerance: Tolerance) -> list[Row]:
    """Regressed or improved: changed by more than the tolerance, and believed after correction."""
    tested = [row.p_value for row in rows if row.p_value is not None]
    believed = iter(benjamini_hochberg(tested, _FALSE_DISCOVERIES))
    return [
        row if row.p_value is None else _settled(row, next(believed), tolerance(row.metric)) for row in rows
    ]


def _settled(row: Row, sure: bool, limit: float) -> Row:
    loss = worsening(row)
    verdict: Verdict = "regressed" if loss > 0 else "improved"
    return replace(row, verdict="ok" if abs(loss) <= limit else verdict if sure else "within noise")


def worsening(row: Row) -> float:
    """By how much a change is for the worse (negative: better): a share of the baseline, or recall lost."""
    assert row.change is not None
    amount = row.change if row.metric.startswith("recall_at_") else row.change - 1
    return -amount if spec(row.metric).better == "higher" else amount


def tolerances(given: Mapping[str, float] | float, recall: float) -> Tolerance:
    """The accepted loss by metric; recall's own unless it is named, `default` for the rest."""

    def tolerance(metric: str) -> float:
        if isinstance(given, Mapping):
            if metric in given:
                return given[metric]
            rest = given.get("default", 0.1)
        else:
            rest = given
        return min(rest, recall) if metric.startswith("recall_at_") else rest

    return tolerance
