"""Hard requirements: whether a candidate meets each, on every filter, and how clearly."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from harness.results.metrics import COUNTS, spec
from harness.results.result import Measurement
from harness.results.stats import mean_interval
from harness.scenario.specs import DecisionSpec
from harness.scenario.threshold import Threshold, parse_threshold
from reports.decide.cells import Cells, Configuration, TrialGroup
from reports.wording import quantity

Status = Literal["holds", "too close to call", "not measured", "fails"]
_SEVERITY: dict[tuple[Status, bool], int] = {
    ("fails", False): 4,
    ("not measured", False): 3,
    ("too close to call", False): 2,
    ("too close to call", True): 1,
    ("holds", True): 0,
}
_ALWAYS = "violations == 0"  # an engine that returns items its filter excludes has not done the work at all


class Check(BaseModel):
    """One requirement of one candidate, at the place where it came nearest to failing (or failed most).

    met: whether the mean over trials satisfies it, which is what eligibility asks for. status: the same with
    the 95 % interval of that mean taken into account. value, low, high: in the metric's unit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    requirement: str
    metric: str
    status: Status
    met: bool
    value: float | None = None
    low: float | None = None
    high: float | None = None
    where: str = ""
    reason: str = ""

    @property
    def sentence(self) -> str:
        """`recall@10 is 0.912 with filter brand (needs recall >= 0.95)`."""
        name = spec(self.metric).label
        if self.status == "not measured":
            return f"{name} not measured ({self.reason})"
        place = f" with {self.where}" if self.where.startswith("filter") else f" in {self.where}"
        if self.metric in COUNTS:
            return f"{quantity(self.metric, self.value)} {name}{place} (needs {self.requirement})"
        return f"{name} is {quantity(self.metric, self.value)}{place} (needs {self.requirement})"


def requirements(scenario: dict[str, Any]) -> list[Threshold]:
    """The scenario's hard requirements; `violations == 0` is one even where the scenario does not say so."""
    spec = DecisionSpec.model_validate(scenario.get("decision", {}))
    thresholds = spec.thresholds
    if all(threshold.metric != "violations" for threshold in thresholds):
        thresholds.append(parse_threshold(_ALWAYS))
    return thresholds


def check(cells: Cells, candidate: Configuration, threshold: Threshold) -> Check:
    """Judges one requirement of one candidate over everything that was measured of it."""
    metric = metric_name(threshold, cells.k)
    if metric in COUNTS:
        return _check_count(cells, candidate, threshold, metric)
    groups = judged_groups(cells, candidate, metric)
    missing = _missing_filters(cells, candidate, metric, groups)
    if not groups or missing:
        where = f"filter {missing[0]}" if missing else ""
        return _unmeasured(threshold, metric, where, _why_absent(cells, metric, missing))
    return max(
        (_check_group(group, threshold, metric) for group in groups), key=lambda c: _badness(c, threshold)
    )


def metric_name(threshold: Threshold, k: int) -> str:
    """The metric's name in the result file: plain `recall` is recall at the scenario's k."""
    return f"recall_at_{k}" if threshold.metric == "recall" else threshold.metric


def judged_groups(cells: Cells, candidate: Configuration, metric: str) -> list[TrialGroup]:
    """The groups of cells whose values of `metric` count for a requirement.

    Latency percentiles: the cells with an offered rate, at every rate, wherever the scenario has such a task,
    for a closed loop slows down with the engine and so flatters it; else the closed loop. Index and update
    metrics: their tasks. Everything else: the closed-loop task that the objective is taken from.
    """
    known = spec(metric)
    if "search" not in known.tasks and known.tasks:
        return cells.build(candidate, known.tasks[0])
    if known.executor == "arrival_rate" or (metric.startswith("latency") and cells.has_arrivals):
        return cells.arrivals(candidate)
    return cells.objective(candidate)


def _missing_filters(
    cells: Cells, candidate: Configuration, metric: str, groups: list[TrialGroup]
) -> list[str]:
    if not groups or groups[0].kind != "search" or groups[0].executor != "closed_loop":
        return []
    measured = {group.filter for group in groups}
    return [name for name in cells.filters if name not in measured]


def _why_absent(cells: Cells, metric: str, missing: list[str]) -> str:
    if missing:
        return "the run ended before it"
    if metric.startswith("latency") and cells.has_arrivals:
        return "under an offered rate only the engine's operating point was measured, and this is not it"
    return "no task of the scenario measures it"


def _check_group(group: TrialGroup, threshold: Threshold, metric: str) -> Check:
    if (gap := group.gap(metric)) is not None:
        return _unmeasured(threshold, metric, group.place, gap)
    interval = mean_interval(list(group.values(metric).values()))
    low, high = interval.low, interval.high
    if metric.startswith("recall_at_") and low is not None and high is not None:
        low, high = max(low, 0.0), min(high, 1.0)
    met = threshold.holds(interval.estimate)
    sides = {met} if low is None or high is None else {threshold.holds(low), threshold.holds(high)}
    status: Status = "too close to call" if len(sides) > 1 or sides != {met} else "holds" if met else "fails"
    return Check(
        requirement=threshold.text,
        metric=metric,
        status=status,
        met=met,
        value=interval.estimate,
        low=low,
        high=high,
        where=group.place,
    )


def _check_count(cells: Cells, candidate: Configuration, threshold: Threshold, metric: str) -> Check:
    """Counts must hold in every trial of every task; a violation anywhere disqualifies the whole engine."""
    if metric == "violations":
        groups = [
            TrialGroup(c.task, c.kind, c.filter, c.executor, None, (c,))
            for c in cells.of_engine(candidate.engine)
        ]
        own = {id(cell) for group in _own_groups(cells, candidate) for cell in group.cells}
    else:
        groups, own = _own_groups(cells, candidate), None
    checks = [
        _check_cell(cell, group, threshold, metric)
        for group in groups
        for cell in group.cells
        # Of the engine's other settings only what was counted matters; that they failed is their own affair.
        if _counts(cell, metric) and (own is None or id(cell) in own or cell.metrics.get(metric) is not None)
    ]
    if not checks:
        return _unmeasured(threshold, metric, "", "no task of the scenario measures it")
    return max(checks, key=lambda c: _badness(c, threshold))


def _own_groups(cells: Cells, candidate: Configuration) -> list[TrialGroup]:
    return cells.search(candidate) + cells.build(candidate, "updates")


def _counts(cell: Measurement, metric: str) -> bool:
    """Whether a cell has a say on a count. What an engine cannot do at all (delete, say) produces no errors,
    but leaves open whether it would serve deleted items.
    """
    if cell.kind == "index":
        return False
    if cell.metrics.get(metric) is not None:
        return True
    if cell.error is not None and cell.error.startswith("unsupported"):
        return metric == "ghosts" and cell.kind == "updates"
    return cell.kind == "search" or cell.error is not None or metric in cell.reasons


def _check_cell(cell: Measurement, group: TrialGroup, threshold: Threshold, metric: str) -> Check:
    value = cell.metrics.get(metric)
    if value is None or (cell.error is not None and threshold.holds(value)):
        reason = cell.error or cell.reasons.get(metric, "not recorded")
        return _unmeasured(threshold, metric, group.place, f"trial {cell.trial + 1}: {reason}")
    met = threshold.holds(value)
    status: Status = "holds" if met else "fails"
    return Check(
        requirement=threshold.text, metric=metric, status=status, met=met, value=value, where=group.place
    )


def _unmeasured(threshold: Threshold, metric: str, where: str, reason: str) -> Check:
    text = f"{where}: {reason}" if where else reason
    return Check(
        requirement=threshold.text, metric=metric, status="not measured", met=False, where=where, reason=text
    )


def shortfall(value: float | None, threshold: Threshold) -> float:
    """How far a value is on the wrong side (negative: to spare), as a share of the limit; None: infinite."""
    if value is None:
        return float("inf")
    distance = value - threshold.limit if threshold.relation in ("<", "<=") else threshold.limit - value
    if threshold.relation == "==":
        distance = abs(distance)
    return distance / (abs(threshold.limit) or 1.0)


def _badness(result: Check, threshold: Threshold) -> tuple[int, float]:
    return _SEVERITY[result.status, result.met], shortfall(result.value, threshold)


def continuous(cells: Cells, thresholds: Iterable[Threshold]) -> list[tuple[Threshold, str]]:
    """The requirements whose values vary from trial to trial, with their metric names."""
    named = ((threshold, metric_name(threshold, cells.k)) for threshold in thresholds)
    return [(threshold, metric) for threshold, metric in named if metric not in COUNTS]
