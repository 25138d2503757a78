"""Which groups of cells a requirement of a candidate is judged on, and which of them came out worst."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.results.metrics import spec
from reports.decide.cells import Bools, Cells, Configuration, Floats, Ints
from reports.decide.checks.group_verdicts import (
    CLOSE,
    FAILS,
    GAP,
    LEAST_QUERIES,
    GroupVerdicts,
    distinct_queries,
    judge,
    under_offered_rate,
)
from reports.decide.checks.requirements import Check, CheckStatus, Requirement, shortfall

_NONE = (np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
_STATUSES: tuple[CheckStatus, ...] = ("holds", "too close to call", "not measured", "fails")


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

    def met(self, requirement: Requirement) -> Bools:
        """Which candidates would meet a requirement, as `check` says of those that are asked for."""
        verdicts = judge(self.cells, requirement)
        worst = self._worst(requirement, verdicts)
        measured = np.array([not names for names in self.missing], dtype=np.bool_)
        return np.asarray((worst >= 0) & verdicts.met[worst] & measured)

    def highest_values(self, requirement: Requirement) -> Floats:
        """Of each candidate the highest value that a requirement is judged by; NaN where one of them is missing."""
        verdicts = judge(self.cells, requirement)
        who, groups, _ = self._relevant(requirement, verdicts)
        found = np.full(len(self.cells.candidates), -np.inf)
        np.maximum.at(found, who, np.where(verdicts.status[groups] == GAP, np.inf, verdicts.value[groups]))
        return np.where(np.isinf(found), np.nan, found)

    def _worst(self, requirement: Requirement, verdicts: GroupVerdicts) -> Ints:
        """The number of the group with the worst verdict for each candidate, -1 where it is judged in none."""
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
        # What was measured at another setting of the engine counts against this one only where it clearly fails.
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
        """Numbers of the groups whose times decide on a requirement of a candidate (by number); none for the quality of
        answers, which does not depend on the machine's speed.
        """
        if requirement.judged_everywhere:
            return np.zeros(0, dtype=np.int64)
        who, groups = self._timed_groups(requirement.metric)
        numbers = groups[who == place]
        return np.asarray(numbers[self.verdicts[requirement.text].judged[numbers]])

    def _fault_of_engine(self, verdicts: GroupVerdicts, severity: Ints, gaps: Floats, worst: Ints) -> Ints:
        """Wrong answers anywhere are the engine's fault, whichever setting gave them."""
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
        """How many queries, and where, if a recall has too few in the task whose throughput is compared. In another
        task too few queries are too close to call as well, but do not block the decision.
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
            reason = group.gap(requirement.metric) or "not recorded"
            return _gap(requirement, group.place, reason, failed=bool(self.cells.failed[number].any()))
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


def _gap(requirement: Requirement, place: str, reason: str, *, failed: bool = False) -> Check:
    text = f"{place}: {reason}" if place else reason
    return Check(
        requirement=requirement.text, metric=requirement.metric, status="not measured", met=False,
        place=place, reason=text, failed=failed,
    )  # fmt: skip
