"""One requirement in every group of cells at once: arrays over the groups, computed from arrays. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.results.metrics import OPEN, SATURATION, spec
from harness.results.result import UNSUPPORTED
from harness.results.stats import student_t_quantile, wilson_bounds
from harness.scenario.threshold import Threshold
from reports.decide.cells import Bools, Cells, Floats, Ints
from reports.decide.checks.requirements import Requirement

LEAST_QUERIES = 30  # with fewer queries a recall is always too close to call
LEVEL = 0.95
HOLDS, CLOSE, GAP, FAILS = range(4)  # statuses


@dataclass(frozen=True, slots=True)
class GroupVerdicts:
    """One requirement in every group of cells; arrays [groups]. judged: whether it is judged in a group at all."""

    judged: Bools
    status: Ints
    met: Bools
    value: Floats
    low: Floats
    high: Floats
    queries: Floats

    def severity(self) -> Ints:
        """Severity, the worst highest: failed, not measured, too close and not met, too close but met, held."""
        order = np.where(self.status == FAILS, 4, np.where(self.status == GAP, 3, 0))
        return np.asarray(np.where(self.status == CLOSE, np.where(self.met, 1, 2), order))


def under_offered_rate(cells: Cells, metric: str) -> bool:
    """Whether a metric is judged in the cells with an offered rate: what only they give, and latency wherever the
    scenario has such a task, for a closed loop slows down with the engine and so flatters it.
    """
    return spec(metric).executor == OPEN or (metric.startswith("latency") and cells.has_arrivals)


def judge(cells: Cells, requirement: Requirement) -> GroupVerdicts:
    """One requirement in every group of cells."""
    if spec(requirement.metric).is_count:
        return _judge_counts(cells, requirement)
    return _judge_means(cells, requirement)


def _in_scope(cells: Cells, requirement: Requirement) -> Bools:
    """Which groups are of a kind and a load under which the metric is judged.

    Saturation shows what happens beyond an engine's limit, which every engine has: there neither times nor time-outs
    are judged, but answers are.
    """
    known, metric = spec(requirement.metric), requirement.metric
    kinds, offered = set(known.tasks or ("search",)), under_offered_rate(cells, metric)
    overloaded = known.timed or metric == "timeouts"
    empty = () if known.is_count else cells.empty_filters
    in_scope = (
        group.kind in kinds
        and not (offered and group.executor != OPEN)
        and not (overloaded and group.executor == SATURATION)
        and not (group.kind == "search" and group.filter in empty)
        for group in cells.groups
    )
    return np.fromiter(in_scope, np.bool_, len(cells.groups))


def _judge_means(cells: Cells, requirement: Requirement) -> GroupVerdicts:
    """Means over the trials, with Student's interval; for recall with that of its queries where it is wider."""
    raw = cells.matrix(requirement.metric)
    values = np.where(cells.failed, np.nan, raw)
    judged = _in_scope(cells, requirement)
    gaps = (cells.present & np.isnan(values)).any(axis=1)
    if requirement.judged_everywhere:
        judged = judged & ~_exempt(cells, requirement)
    count, mean, low, high = _student(values)
    queries: Floats = np.full(len(mean), np.nan)
    if spec(requirement.metric).averaged_over:
        queries, low, high = _with_queries(cells, requirement.metric, mean, low, high)
    threshold = requirement.threshold
    met = _holds(threshold, mean)
    close: Bools = _doubtful(threshold, met, low, high)
    if not _always(threshold):
        close |= queries < LEAST_QUERIES
    status = np.where(gaps | (count == 0), GAP, np.where(close, CLOSE, np.where(met, HOLDS, FAILS)))
    return GroupVerdicts(judged, status, met & (status != GAP), mean, low, high, queries)


def _always(threshold: Threshold) -> bool:
    return threshold.holds(0.0) and threshold.holds(1.0)


def _doubtful(threshold: Threshold, met: Bools, low: Floats, high: Floats) -> Bools:
    """Whether an interval includes the limit; without an interval, noise is unknown and so it may."""
    unknown = np.isnan(low) | np.isnan(high)
    crossing = (_holds(threshold, low) != met) | (_holds(threshold, high) != met)
    return np.asarray(unknown | crossing)


def _holds(threshold: Threshold, values: Floats) -> Bools:
    with np.errstate(invalid="ignore"):
        return np.asarray(threshold.holds_each(values), dtype=np.bool_)


def _student(values: Floats) -> tuple[Ints, Floats, Floats, Floats]:
    """Count, mean and Student's interval of each row, see `mean_interval`; NaN bounds with fewer than two values."""
    seen = ~np.isnan(values)
    count = seen.sum(axis=1)
    filled = np.where(seen, values, 0.0)
    lowest = np.where(seen, values, np.inf).min(axis=1, initial=np.inf)
    highest = np.where(seen, values, -np.inf).max(axis=1, initial=-np.inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        # The mean of equal values must be that value: 0.95 three times, averaged in floating point, is below 0.95.
        mean = np.clip(filled.sum(axis=1) / count, lowest, highest)
        deviation = np.where(seen, values - mean[:, None], 0.0)
        error = np.sqrt((deviation**2).sum(axis=1) / (count - 1) / count)
        widths = {n: student_t_quantile((1 + LEVEL) / 2, n - 1) for n in set(count.tolist()) if n > 1}
        half = error * np.array([widths.get(n, np.nan) for n in count.tolist()])
    half = np.where((count > 1) & (lowest == highest), 0.0, half)
    return count, np.where(count > 0, mean, np.nan), mean - half, mean + half


def _with_queries(
    cells: Cells, metric: str, mean: Floats, low: Floats, high: Floats
) -> tuple[Floats, Floats, Floats]:
    """The queries of a mean over queries, and its interval, widened by their sampling error.

    Trials ask the same queries again, so the number of a group is that of its largest trial. A run that does not say
    how many were distinct has at most those of its data.
    """
    queries = distinct_queries(cells, metric)
    spread = np.where(cells.failed, np.nan, cells.matrix("recall_sd"))
    seen = ~np.isnan(spread)
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = np.where(seen, spread**2, 0.0).sum(axis=1) / seen.sum(axis=1)
    below, above = wilson_bounds(mean, queries, variance, LEVEL)
    low, high = np.fmin(low, below), np.fmax(high, above)
    return queries, np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0)


def distinct_queries(cells: Cells, metric: str) -> Floats:
    """How many queries each group's mean of `metric` rests on; NaN where that is not known."""
    queries = np.full((len(cells.groups), len(cells.trials)), np.nan)
    most = float(cells.result.dataset.get("queries") or np.inf)
    for name in spec(metric).averaged_over:
        queries = np.fmin(queries, np.minimum(cells.matrix(name), most))
    known = np.where(np.isnan(queries), -np.inf, queries).max(axis=1, initial=-np.inf)
    return np.where(np.isinf(known), np.nan, known)


def _exempt(cells: Cells, requirement: Requirement) -> Bools:
    """Groups of the right kind in which a requirement is still not judged: tasks other than search with neither a
    value, a reason nor a crash; and for counts, groups that the engine does not support, since what it cannot do
    causes no errors. An exception are ghosts where the scenario itself asks for them: whether they occur stays open.
    """
    metric, counts = requirement.metric, spec(requirement.metric).is_count
    searched = np.fromiter((group.kind == "search" for group in cells.groups), np.bool_, len(cells.groups))
    empty = np.isnan(cells.matrix(metric)).all(axis=1)
    asked = metric == "ghosts" and requirement.source == "scenario"
    exempt = np.zeros(len(cells.groups), dtype=np.bool_)
    for number in np.nonzero(empty & (~searched | cells.failed.any(axis=1)))[0]:
        group = cells.groups[number]
        unable = all((error or "").startswith(UNSUPPORTED) for error in group.errors)
        if unable:
            exempt[number] = not (asked and group.kind == "updates") if counts else not searched[number]
        else:
            explained = any(group.errors) or any(metric in reasons for reasons in group.reasons)
            exempt[number] = not searched[number] and not explained
    return exempt


def _judge_counts(cells: Cells, requirement: Requirement) -> GroupVerdicts:
    """Counts must hold in every trial, so the worst trial of each group is judged."""
    threshold, known = requirement.threshold, spec(requirement.metric)
    values = cells.matrix(requirement.metric)
    if threshold.share:
        total = cells.matrix(known.out_of or "")
        if known.out_of == "judged_queries":  # where results of earlier versions lack it, all were judged
            total = np.where(np.isnan(total), cells.matrix("queries"), total)
        with np.errstate(invalid="ignore", divide="ignore"):
            # Where the number of requests is unknown, a single event is too many.
            values = np.where(values == 0, 0.0, values / np.where(np.isnan(total), 1.0, total))
    judged = _in_scope(cells, requirement) & ~_exempt(cells, requirement)
    failing = ~np.isnan(values) & ~_holds(threshold, values)
    gaps = (cells.present & np.isnan(values)) | (cells.failed & ~failing)
    better_low = threshold.relation in (">", ">=")
    sign = -1.0 if better_low else 1.0
    worst = sign * np.where(np.isnan(values), -np.inf, sign * values).max(axis=1, initial=-np.inf)
    status = np.where(failing.any(axis=1), FAILS, np.where(gaps.any(axis=1), GAP, HOLDS))
    nothing = np.full(len(worst), np.nan)
    value = np.where(np.isinf(worst), np.nan, worst)
    return GroupVerdicts(judged, status, status == HOLDS, value, nothing, nothing, nothing)


def is_asked(cells: Cells, requirement: Requirement) -> bool:
    """Whether a requirement applies to a run: results of earlier versions lack metrics that have a default."""
    return requirement.source == "scenario" or not np.isnan(cells.matrix(requirement.metric)).all()
