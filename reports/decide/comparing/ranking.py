"""Candidates scored by the objective, and the best setting of each engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from harness.scenario.specs import DecisionSpec
from reports.decide.cells import Cells, Configuration
from reports.decide.checks.judging import Judge
from reports.decide.checks.needs import is_need, need_checks
from reports.decide.checks.requirements import Check, Requirement
from reports.decide.comparing.selection import Selection, select
from reports.decide.objective import Objective

NOTHING_COUNTS = "no filter that has a weight in the mix was measured"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration judged. score: the objective over the mix of the filters and all trials; by_trial:
    the same, trial by trial. Both are empty where a filter was not measured.
    """

    configuration: Configuration
    checks: tuple[Check, ...]
    score: float | None
    by_trial: Mapping[int, float]

    @property
    def met(self) -> bool:
        return self.score is not None and all(entry.met for entry in self.checks)

    @property
    def figures_met(self) -> bool:
        """Whether it meets every requirement, needs apart."""
        return self.score is not None and all(entry.met or is_need(entry) for entry in self.checks)

    @property
    def clearly_met(self) -> bool:
        return self.met and all(entry.status == "holds" for entry in self.checks)

    @property
    def undecided(self) -> bool:
        """Whether everything that it fails is too close to call."""
        return self.score is not None and all(c.status == "too close to call" for c in self.failures)

    @property
    def not_judged(self) -> bool:
        """Whether all that it misses is too close to call, or was not measured although no cell failed."""
        return not self.met and not any(c.status == "fails" or c.failed for c in self.failures)

    @property
    def failures(self) -> list[Check]:
        return [entry for entry in self.checks if not entry.met]


def judged_candidates(judge: Judge, asked: Sequence[Requirement], spec: DecisionSpec) -> list[Candidate]:
    """Every candidate with its requirement checks and scores, in the order of the run's candidates."""
    cells, objective = judge.cells, judge.cells.goal
    columns = [judge.check(requirement) for requirement in asked]
    needs = {engine: need_checks(cells, engine, spec.needs) for engine in cells.engines}
    values = np.where(cells.failed, np.nan, cells.matrix(objective.metric))
    candidates = []
    for place, configuration in enumerate(cells.candidates):
        numbers = cells.objective_numbers(configuration)
        checks = [column[place] for column in columns] + needs[configuration.engine]
        trials = np.nonzero(cells.present[numbers].all(axis=0))[0]
        score, by_trial = None, {}
        if (gap := _gap(cells, numbers, len(trials), objective.metric)) is None:
            own, shares = (
                values[numbers][:, trials],
                cells.weighing([cells.groups[n].filter for n in numbers]),
            )
            mixed = objective.mix(own, shares)
            by_trial = {cells.trials[t]: float(v) for t, v in zip(trials, mixed, strict=True)}
            score = float(objective.mix(own.mean(axis=1), shares))
        elif all(entry.met for entry in checks):
            checks.append(gap)
        candidates.append(Candidate(configuration, tuple(checks), score, by_trial))
    return candidates


def _gap(cells: Cells, numbers: Sequence[int], trials: int, metric: str) -> Check | None:
    groups = [cells.groups[number] for number in numbers]
    reasons = [f"filter {group.filter}: {gap}" for group in groups if (gap := group.gap(metric)) is not None]
    measured = {group.filter for group in groups}
    reasons += [f"filter {name}: the run ended before it" for name in cells.filters if name not in measured]
    if not reasons and not cells.mixed:
        reasons = [NOTHING_COUNTS]
    if not reasons and not trials:
        reasons = ["no trial covers every filter"]
    if not reasons:
        return None
    failed = bool(cells.failed[numbers].any())
    return Check(
        requirement="measured",
        metric=metric,
        status="not measured",
        met=False,
        reason=reasons[0],
        failed=failed,
    )


def rank(eligible: Sequence[Candidate], objective: Objective) -> tuple[list[Candidate], dict[str, Selection]]:
    """The best candidate of each engine entry, best first, and how it was selected among the entry's candidates."""
    engines: dict[str, list[Candidate]] = {}
    for candidate in eligible:
        engines.setdefault(candidate.configuration.engine, []).append(candidate)
    found, selections = [], {}
    for engine, settings in engines.items():
        selection = select([c.by_trial for c in settings], maximise=objective.maximise)
        best = settings[selection.chosen]
        score = best.score if selection.steady else selection.score
        found.append(replace(best, score=score, by_trial=selection.by_trial))
        selections[engine] = selection
    found.sort(key=lambda candidate: objective.oriented(candidate.score), reverse=True)
    return found, selections
