"""Candidates scored by the objective, and how often each engine comes first when trials are resampled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.results.result import RunResult
from harness.results.stats import Comparison, compare_ratios, harmonic_mean, resamples
from harness.scenario.specs import DecisionSpec
from reports.decide.cells import Cells, Configuration, TrialGroup
from reports.decide.requirements import Check, check, continuous, judged_groups, requirements, shortfall

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Objective:
    """What is optimised among the candidates that meet every requirement."""

    metric: str
    maximise: bool

    @classmethod
    def of(cls, spec: DecisionSpec) -> Objective:
        goal, metric = spec.objective.split()
        return cls(metric, goal == "max")

    def mix(self, by_filter: Floats) -> Any:
        """One figure for an equal mix of the filters, over axis 0: rates combine by the harmonic mean (the
        mix takes the sum of their times), cost per query by the arithmetic mean.
        """
        return harmonic_mean(by_filter, axis=0) if self.maximise else by_filter.mean(axis=0)

    def ratio(self, better: float, worse: float) -> float:
        """By which factor the better score is ahead; infinite where the other is 0."""
        top, bottom = (better, worse) if self.maximise else (worse, better)
        return top / bottom if bottom else np.inf

    def oriented(self, score: Any) -> Any:
        """The score so that more is better."""
        return score if self.maximise else -score


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration judged. score: the objective over an equal mix of the filters and all trials; by_trial:
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
    def clearly_met(self) -> bool:
        return self.met and all(entry.status == "holds" for entry in self.checks)

    @property
    def failures(self) -> list[Check]:
        return [entry for entry in self.checks if not entry.met]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a decision rests on. ranking: the best eligible candidate of each engine entry, best first.
    shares: how often each entry comes first; empty with fewer than two trials. margin: leader against
    runner-up, as a ratio of at least 1 in the leader's favour; None without either or where a score is 0.
    """

    cells: Cells
    spec: DecisionSpec
    candidates: Sequence[Candidate]
    ranking: Sequence[Candidate]
    shares: Mapping[str, float]
    margin: Comparison | None

    @property
    def objective(self) -> Objective:
        return Objective.of(self.spec)

    @property
    def leader(self) -> Candidate | None:
        return self.ranking[0] if self.ranking else None

    @property
    def runner_up(self) -> Candidate | None:
        return self.ranking[1] if len(self.ranking) > 1 else None

    def of_engine(self, engine: str) -> list[Candidate]:
        """The candidates of one engine entry."""
        return [candidate for candidate in self.candidates if candidate.configuration.engine == engine]

    def nearest(self, engine: str) -> Candidate | None:
        """Of an engine's candidates, the one that fails fewest requirements and those by least."""
        limits = {threshold.text: threshold for threshold in requirements(self.cells.result.scenario)}

        def distance(candidate: Candidate) -> tuple[int, int, float]:
            failing = candidate.failures
            measured = [c for c in failing if c.value is not None and c.requirement in limits]
            gaps = [shortfall(c.value, limits[c.requirement]) for c in measured]
            return len(failing), len(failing) - len(measured), max(gaps, default=0.0)

        return min(self.of_engine(engine), key=distance, default=None)


def weigh(result: RunResult) -> Evidence:
    """Judges, scores and ranks every candidate of a run."""
    spec = DecisionSpec.model_validate(result.scenario.get("decision", {}))
    cells = Cells(result)
    candidates = judge(cells, spec)
    ranking = rank(candidates, spec)
    rng = np.random.default_rng(int(result.scenario.get("seed", 0)))
    repeated = bool(ranking) and len(ranking[0].by_trial) > 1
    shares = win_shares(cells, candidates, spec, rng) if repeated else {}
    margin = _margin(ranking[0], ranking[1], Objective.of(spec)) if len(ranking) > 1 else None
    return Evidence(cells, spec, candidates, ranking, shares, margin)


def _margin(leader: Candidate, runner_up: Candidate, objective: Objective) -> Comparison | None:
    ahead, behind = (list(candidate.by_trial.values()) for candidate in (leader, runner_up))
    if min(ahead + behind) <= 0:
        return None
    return compare_ratios(behind, ahead) if objective.maximise else compare_ratios(ahead, behind)


def judge(cells: Cells, spec: DecisionSpec) -> list[Candidate]:
    """Every candidate with its requirement checks and scores."""
    thresholds, objective = requirements(cells.result.scenario), Objective.of(spec)
    candidates = []
    for configuration in cells.candidates:
        groups = cells.objective(configuration)
        checks = [check(cells, configuration, threshold) for threshold in thresholds]
        score, by_trial = None, {}
        if (gap := _gap(cells, groups, objective.metric)) is None:
            values = _matrix(groups, objective.metric, _trials(groups))
            by_trial = dict(zip(_trials(groups), map(float, objective.mix(values)), strict=True))
            score = float(objective.mix(values.mean(axis=1)))
        elif all(entry.met for entry in checks):
            checks.append(gap)
        candidates.append(Candidate(configuration, tuple(checks), score, by_trial))
    return candidates


def _gap(cells: Cells, groups: Sequence[TrialGroup], metric: str) -> Check | None:
    reasons = [f"filter {group.filter}: {gap}" for group in groups if (gap := group.gap(metric)) is not None]
    measured = {group.filter for group in groups}
    reasons += [f"filter {name}: the run ended before it" for name in cells.filters if name not in measured]
    if not reasons and not _trials(groups):
        reasons = ["no trial covers every filter"]
    if not reasons:
        return None
    return Check(requirement="measured", metric=metric, status="not measured", met=False, reason=reasons[0])


def _trials(groups: Sequence[TrialGroup]) -> list[int]:
    """The trials in which every group was measured."""
    return sorted(set.intersection(*({cell.trial for cell in group.cells} for group in groups)))


def _matrix(groups: Sequence[TrialGroup], metric: str, trials: Sequence[int]) -> Floats:
    """Values [groups, trials], NaN where there is none."""
    found = [group.values(metric) for group in groups]
    return np.array([[values.get(trial, np.nan) for trial in trials] for values in found], dtype=np.float64)


def rank(candidates: Sequence[Candidate], spec: DecisionSpec) -> list[Candidate]:
    """The best candidate of each engine entry that has one meeting every requirement, best first."""
    objective = Objective.of(spec)
    best: dict[str, Candidate] = {}
    eligible = [candidate for candidate in candidates if candidate.met]
    for candidate in sorted(eligible, key=lambda c: objective.oriented(c.score), reverse=True):
        best.setdefault(candidate.configuration.engine, candidate)
    return list(best.values())


def win_shares(
    cells: Cells, candidates: Sequence[Candidate], spec: DecisionSpec, rng: np.random.Generator
) -> dict[str, float]:
    """How often each engine entry comes first when the trials of every engine are drawn anew.

    Each engine's trials are resampled on their own, whole trials at a time (all filters and loads of a trial
    together); requirements are judged again in each resample. Engines being independent, the share is exact:
    the mean over an engine's outcomes of the product of the other engines' shares of lower outcomes.
    """
    engines: dict[str, list[Candidate]] = {}
    for candidate in candidates:
        engines.setdefault(candidate.configuration.engine, []).append(candidate)
    outcomes = {engine: np.sort(_outcomes(cells, group, spec, rng)) for engine, group in engines.items()}
    shares = {}
    for engine, own in outcomes.items():
        share = np.where(np.isneginf(own), 0.0, 1.0)
        for other, theirs in outcomes.items():
            if other != engine:
                share = share * np.searchsorted(theirs, own, side="left") / len(theirs)
        shares[engine] = float(share.mean())
    return shares


def _outcomes(
    cells: Cells, candidates: Sequence[Candidate], spec: DecisionSpec, rng: np.random.Generator
) -> Floats:
    """The best score of one engine in each resample, more being better; -inf where no setting is eligible."""
    trials = sorted({trial for candidate in candidates for trial in candidate.by_trial})
    if not trials:
        return np.array([-np.inf])
    draws, objective = resamples(len(trials), rng), Objective.of(spec)
    varying = continuous(cells, requirements(cells.result.scenario))
    names = {metric for _, metric in varying}
    best = np.full(len(draws), -np.inf)
    for candidate in candidates:
        if candidate.score is None or any(
            not entry.met and (entry.metric not in names or entry.status == "not measured")
            for entry in candidate.checks
        ):
            continue  # counts hold in every trial or not at all, so resampling cannot mend them
        eligible = np.ones(len(draws), dtype=np.bool_)
        for threshold, metric in varying:
            groups = judged_groups(cells, candidate.configuration, metric)
            for means in _means(_matrix(groups, metric, trials), draws):
                eligible &= np.array([threshold.holds(mean) for mean in means])
        values = _matrix(cells.objective(candidate.configuration), objective.metric, trials)
        scores = objective.oriented(objective.mix(_means(values, draws)))
        best = np.maximum(best, np.where(eligible & ~np.isnan(scores), scores, -np.inf))
    return best


def _means(values: Floats, draws: npt.NDArray[np.int64]) -> Floats:
    """Mean over the drawn trials, [groups, draws]; of trials without a value none, NaN where none has one."""
    drawn = values[:, draws]
    present = ~np.isnan(drawn)
    counts = present.sum(axis=2)
    means = np.where(present, drawn, 0.0).sum(axis=2) / np.maximum(counts, 1)
    # Rounding must not take the mean of equal values below a limit that each of them meets.
    lowest, highest = (
        np.where(present, drawn, np.inf).min(axis=2),
        np.where(present, drawn, -np.inf).max(axis=2),
    )
    return np.where(counts > 0, np.clip(means, lowest, highest), np.nan)
