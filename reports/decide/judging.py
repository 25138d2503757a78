"""Judges requirements over all cells of a run at once: arrays over groups in, the worst group of each candidate out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from harness.results.metrics import spec
from harness.results.stats import student_t_quantile, wilson_bounds
from harness.scenario.threshold import Threshold
from reports.decide.cells import Bools, Cells, Configuration, Floats, Ints
from reports.decide.requirements import Check, Requirement, Status, shortfall

LEAST_QUERIES = 30  # a recall of fewer is too close to call, whatever it is
LEVEL = 0.95
_NONE = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
_STATUSES: tuple[Status, ...] = ("holds", "too close to call", "not measured", "fails")
HOLDS, CLOSE, GAP, FAILS = range(4)


@dataclass(frozen=True, slots=True)
class GroupVerdicts:
    """One requirement in every group of cells; arrays [groups]. judged: whether a group has a say at all."""

    judged: Bools
    status: Ints
    met: Bools
    value: Floats
    low: Floats
    high: Floats
    queries: Floats

    def severity(self) -> Ints:
        """Order of badness: failed, not measured, too close and not met, too close but met, held."""
        order = np.where(self.status == FAILS, 4, np.where(self.status == GAP, 3, 0))
        return np.asarray(np.where(self.status == CLOSE, np.where(self.met, 1, 2), order))


class Judge:
    """The requirements of a run's candidates. Relations between candidates and groups are found once."""

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self._engine_of = np.array([setting.engine for setting in cells.configurations], dtype=object)
        own = [cells.search_numbers(c) for c in cells.candidates]
        self.own = _pairs(own)
        self.built = _pairs([cells.build_numbers(c) for c in cells.candidates])
        self.objective = _pairs([cells.objective_numbers(c) for c in cells.candidates])
        self.shared = _pairs(self._shared(own))
        self.missing = [self._missing_filters(c) for c in cells.candidates]
        self.verdicts: dict[str, GroupVerdicts] = {}

    def _shared(self, own: Sequence[Sequence[int]]) -> list[list[int]]:
        """For each candidate the groups of search tasks in which it was not measured, but other settings of its index
        were: tasks at the engine's operating point.
        """
        groups, cells = self.cells.groups, self.cells
        tasks: dict[tuple[str, str], dict[str, list[int]]] = {}
        for number, (group, setting) in enumerate(zip(groups, cells.configurations, strict=True)):
            if group.kind == "search":
                build = tasks.setdefault((setting.engine, setting.index_json), {})
                build.setdefault(group.task, []).append(number)
        found = []
        for candidate, numbers in zip(cells.candidates, own, strict=True):
            measured = {groups[number].task for number in numbers}
            others = tasks[candidate.engine, candidate.index_json]
            found.append([n for task, members in others.items() if task not in measured for n in members])
        return found

    def _missing_filters(self, candidate: Configuration) -> list[str]:
        measured = {self.cells.groups[number].filter for number in self.cells.objective_numbers(candidate)}
        return [name for name in self.cells.filters if name not in measured]

    def check(self, requirement: Requirement) -> list[Check]:
        """The check of one requirement, a candidate each."""
        verdicts = self.verdicts[requirement.text] = judge(self.cells, requirement)
        worst = self._worst(requirement, verdicts)
        checks = []
        for place, number in enumerate(worst):
            if self.missing[place] and not spec(requirement.metric).is_count:
                name = self.missing[place][0]
                checks.append(_gap(requirement, f"filter {name}", "the run ended before it"))
            elif number < 0:
                checks.append(_gap(requirement, "", self._why_absent(requirement)))
            else:
                checks.append(self._check(requirement, verdicts, int(number), place))
        return checks

    def _worst(self, requirement: Requirement, verdicts: GroupVerdicts) -> Ints:
        """The number of the group that came out worst for each candidate, -1 where none has a say."""
        severity = verdicts.severity()
        gaps = np.array([0.0 if np.isnan(v) else shortfall(v, requirement.threshold) for v in verdicts.value])
        who, groups, own = self._relevant(requirement, verdicts)
        # Of equally bad ones a candidate's own is shown.
        rank = np.lexsort((gaps[groups], own, severity[groups], who))
        worst = np.full(len(self.cells.candidates), -1, dtype=np.int64)
        worst[who[rank]] = groups[rank]  # the last, and worst, of each candidate stays
        if spec(requirement.metric).engine_wide:
            worst = self._fault_of_engine(verdicts, severity, gaps, worst)
        return worst

    def _relevant(self, requirement: Requirement, verdicts: GroupVerdicts) -> tuple[Ints, Ints, Bools]:
        """Pairs of candidate and group that a requirement is judged on, and whether the group is its own."""
        metric = requirement.metric
        if not requirement.judged_everywhere:
            own, others = self._timed_groups(metric), _NONE
        elif spec(metric).is_count:
            own, others = _joined(self.own, self.built), self.shared
        else:
            own, others = self.own, _joined(self.built, self.shared)
        who, groups = own
        kept = verdicts.judged[groups]
        # A setting answers for what was measured at another one of the engine only where that is beyond doubt.
        also, shared = others
        clear = verdicts.judged[shared] & (verdicts.status[shared] >= GAP)
        mine = np.arange(kept.sum() + clear.sum()) < kept.sum()
        return np.concatenate([who[kept], also[clear]]), np.concatenate([groups[kept], shared[clear]]), mine

    def _timed_groups(self, metric: str) -> tuple[Ints, Ints]:
        known = spec(metric)
        searched = "search" in known.tasks or not known.tasks
        if searched and not under_offered_rate(self.cells, metric):
            return self.objective
        return _joined(self.own, self.built)

    def timed_numbers(self, requirement: Requirement, place: int) -> Ints:
        """Numbers of the groups whose times decide on a requirement of a candidate (by number); none for what answers
        are worth, which no slow machine changes.
        """
        if requirement.judged_everywhere:
            return np.zeros(0, dtype=np.int64)
        who, groups = self._timed_groups(requirement.metric)
        numbers = groups[who == place]
        return np.asarray(numbers[self.verdicts[requirement.text].judged[numbers]])

    def _fault_of_engine(self, verdicts: GroupVerdicts, severity: Ints, gaps: Floats, worst: Ints) -> Ints:
        """Wrong answers anywhere are the engine's, whichever setting gave them."""
        failing = np.nonzero(verdicts.judged & (verdicts.status == FAILS))[0]
        by_engine: dict[str, int] = {}
        for number in failing[np.lexsort((gaps[failing], severity[failing]))]:
            by_engine[self._engine_of[number]] = int(number)
        faults = np.array([by_engine.get(c.engine, -1) for c in self.cells.candidates], dtype=np.int64)
        own_failure = (worst >= 0) & (verdicts.status[worst] == FAILS)
        return np.asarray(np.where((faults >= 0) & ~own_failure, faults, worst))

    def judged_values(self, requirement: Requirement, place: int, trials: Sequence[int]) -> Floats:
        """The values [groups, trials] whose means decide on a requirement of a candidate (by number); none for counts,
        which hold in every trial or do not.
        """
        if spec(requirement.metric).is_count:
            return np.zeros((0, len(trials)))
        if requirement.judged_everywhere:
            who, groups = self.own
        else:
            who, groups = self._timed_groups(requirement.metric)
        numbers = groups[who == place]
        numbers = numbers[self.verdicts[requirement.text].judged[numbers]]
        columns = [self.cells.trials.index(trial) for trial in trials]
        values = np.where(self.cells.failed, np.nan, self.cells.matrix(requirement.metric))
        return np.asarray(values[np.ix_(numbers, columns)])

    def too_few_queries(self, candidate: Configuration) -> tuple[int, str] | None:
        """Where a recall rests on too few queries in the task that is compared: how many, and where. A short
        window of another task is too close to call as well, but does not undo what this one shows.
        """
        cells = self.cells
        counts = distinct_queries(cells, f"recall_at_{cells.k}")
        few = [n for n in cells.objective_numbers(candidate) if counts[n] < LEAST_QUERIES]
        if not few:
            return None
        fewest = min(few, key=lambda number: float(counts[number]))
        return int(counts[fewest]), cells.groups[fewest].place

    def _why_absent(self, requirement: Requirement) -> str:
        if under_offered_rate(self.cells, requirement.metric):
            return "under an offered rate only the engine's operating point was measured, and this is not it"
        return "no task of the scenario measures it"

    def _check(self, requirement: Requirement, verdicts: GroupVerdicts, number: int, place: int) -> Check:
        group, candidate = self.cells.groups[number], self.cells.candidates[place]
        if verdicts.status[number] == GAP:
            return _gap(requirement, group.place, group.gap(requirement.metric) or "not recorded")
        setting = self.cells.configurations[number]
        other = group.kind == "search" and setting != candidate
        shown = group.place + (f" at {setting.title}" if other else "")
        value, low, high, queries = (
            None if np.isnan(array[number]) else float(array[number])
            for array in (verdicts.value, verdicts.low, verdicts.high, verdicts.queries)
        )
        return Check(
            requirement=requirement.text,
            metric=requirement.metric,
            status=_STATUSES[verdicts.status[number]],
            met=bool(verdicts.met[number]),
            value=value,
            low=low,
            high=high,
            queries=None if queries is None else int(queries),
            place=shown,
            reason=_why_close(verdicts, number, queries, low),
            shown=requirement.show(value),
        )


def _why_close(verdicts: GroupVerdicts, number: int, queries: float | None, low: float | None) -> str:
    if verdicts.status[number] != CLOSE:
        return ""
    if queries is not None and queries < LEAST_QUERIES:
        return f"{queries:.0f} queries, at least {LEAST_QUERIES} are needed"
    return "one trial" if low is None else ""


def _joined(*pairs: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    return np.concatenate([who for who, _ in pairs]), np.concatenate([groups for _, groups in pairs])


def _pairs(numbers: Sequence[Sequence[int]]) -> tuple[Ints, Ints]:
    lengths = [len(found) for found in numbers]
    flat = np.fromiter((n for found in numbers for n in found), np.int64, sum(lengths))
    return np.repeat(np.arange(len(numbers)), lengths), flat


def _gap(requirement: Requirement, place: str, reason: str) -> Check:
    text = f"{place}: {reason}" if place else reason
    return Check(
        requirement=requirement.text, metric=requirement.metric, status="not measured", met=False,
        place=place, reason=text,
    )  # fmt: skip


def under_offered_rate(cells: Cells, metric: str) -> bool:
    """Whether a metric is judged in the cells with an offered rate: what only they give, and latency wherever the
    scenario has such a task, for a closed loop slows down with the engine and so flatters it.
    """
    return spec(metric).executor == "arrival_rate" or (metric.startswith("latency") and cells.has_arrivals)


def judge(cells: Cells, requirement: Requirement) -> GroupVerdicts:
    """One requirement in every group of cells."""
    if spec(requirement.metric).is_count:
        return _judge_counts(cells, requirement)
    return _judge_means(cells, requirement)


def _has_say(cells: Cells, requirement: Requirement) -> Bools:
    """Which groups are of a kind and a load under which the metric is judged."""
    known, metric = spec(requirement.metric), requirement.metric
    kinds, offered = set(known.tasks or ("search",)), under_offered_rate(cells, metric)
    empty = () if known.is_count else cells.empty_filters
    said = (
        group.kind in kinds
        and not (offered and group.executor != "arrival_rate")
        and not (group.kind == "search" and group.filter in empty)
        for group in cells.groups
    )
    return np.fromiter(said, np.bool_, len(cells.groups))


def _judge_means(cells: Cells, requirement: Requirement) -> GroupVerdicts:
    """Means over the trials, with Student's interval; of recall also with that of its queries, whichever is wider."""
    raw = cells.matrix(requirement.metric)
    values = np.where(cells.failed, np.nan, raw)
    judged = _has_say(cells, requirement)
    gaps = (cells.present & np.isnan(values)).any(axis=1)
    if requirement.judged_everywhere:
        judged = judged & ~_silent(cells, requirement)
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
    """Whether an interval reaches across the limit; where there is none, noise is unknown and so it may."""
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
    """Queries behind a mean over queries, and the interval widened to what so few of them leave open.

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


def _silent(cells: Cells, requirement: Requirement) -> Bools:
    """Groups that have no say on a requirement although they could: tasks other than search with neither a value nor a
    reason nor a crash, and of counts what is not supported. What an engine cannot do at all produces no errors; that it
    might serve deleted items stays open where the scenario itself asks for it.
    """
    metric, counts = requirement.metric, spec(requirement.metric).is_count
    searched = np.fromiter((group.kind == "search" for group in cells.groups), np.bool_, len(cells.groups))
    empty = np.isnan(cells.matrix(metric)).all(axis=1)
    asked = metric == "ghosts" and requirement.source == "scenario"
    silent = np.zeros(len(cells.groups), dtype=np.bool_)
    for number in np.nonzero(empty & (~searched | cells.failed.any(axis=1)))[0]:
        group = cells.groups[number]
        unable = all((cell.error or "").startswith("unsupported") for cell in group.cells)
        if unable:
            silent[number] = not (asked and group.kind == "updates") if counts else not searched[number]
        else:
            told = any(cell.error or metric in cell.reasons for cell in group.cells)
            silent[number] = not searched[number] and not told
    return silent


def _judge_counts(cells: Cells, requirement: Requirement) -> GroupVerdicts:
    """Counts must hold in every trial: each group stands for its worst one."""
    threshold, known = requirement.threshold, spec(requirement.metric)
    values = cells.matrix(requirement.metric)
    if threshold.share:
        total = cells.matrix(known.out_of or "")
        total = np.where(np.isnan(total), cells.matrix("queries"), total)  # results of earlier versions
        with np.errstate(invalid="ignore", divide="ignore"):
            # Of an unknown number even one is too many.
            values = np.where(values == 0, 0.0, values / np.where(np.isnan(total), 1.0, total))
    judged = _has_say(cells, requirement) & ~_silent(cells, requirement)
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
