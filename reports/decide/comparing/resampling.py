"""How often each engine comes first when the trials of every engine are drawn anew."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from harness.results.stats import resamples
from reports.decide.cells import Bools, Floats
from reports.decide.checks.group_verdicts import LEAST_QUERIES
from reports.decide.checks.judging import Judge
from reports.decide.checks.requirements import Requirement
from reports.decide.comparing.ranking import Candidate
from reports.decide.objective import Objective

_ALTERNATIVES = 20  # settings of an engine that are looked at beside the chosen one
Resamples = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Contest:
    """What is ranked in each resample, and by which rules. ranking: the best eligible setting of each engine entry."""

    judge: Judge
    asked: Sequence[Requirement]
    candidates: Sequence[Candidate]
    ranking: Sequence[Candidate]
    objective: Objective

    def entries(self) -> dict[str, list[int]]:
        """The candidates of each engine entry, as numbers."""
        found: dict[str, list[int]] = {}
        for place, candidate in enumerate(self.candidates):
            found.setdefault(candidate.configuration.engine, []).append(place)
        return found

    def outcomes(self, engine: str, own: Sequence[int], rng: np.random.Generator) -> Floats:
        """The engine's score in each resample, more being better; -inf where no setting is eligible.

        That is the score of its chosen setting, by trials that did not choose it; where that one fails a requirement
        in a resample, of the next best. A setting that fails a requirement but is too close to call counts where it
        meets it in a resample.
        """
        candidates, oriented = self.candidates, self.objective.oriented
        chosen = next((c for c in self.ranking if c.configuration.engine == engine), None)
        contenders = self._contenders(own)
        trials = sorted({trial for place in contenders for trial in candidates[place].by_trial})
        if not trials:
            return np.array([-np.inf])
        draws = resamples(len(trials), rng)
        first, rest = np.full(len(draws), -np.inf), np.full(len(draws), -np.inf)
        for place in contenders:
            candidate = candidates[place]
            eligible = self._eligible(place, trials, draws)
            is_chosen = chosen is not None and candidate.configuration == chosen.configuration
            by_trial = chosen.by_trial if chosen is not None and is_chosen else candidate.by_trial
            scores = oriented(_means(_row(by_trial, trials), draws)[0])
            scores = np.where(eligible & ~np.isnan(scores), scores, -np.inf)
            if is_chosen or not candidate.met:
                first = np.maximum(first, scores)
            else:
                rest = np.maximum(rest, scores)
        return np.where(np.isneginf(first), rest, first)

    def _contenders(self, own: Sequence[int]) -> list[int]:
        """The settings that may win a resample, best first, down to the first that meets everything clearly."""
        candidates, oriented = self.candidates, self.objective.oriented
        possible = [place for place in own if candidates[place].undecided]
        possible.sort(key=lambda place: oriented(candidates[place].score), reverse=True)
        found: list[int] = []
        for place in possible[:_ALTERNATIVES]:
            found.append(place)
            if candidates[place].clearly_met:
                break
        return found

    def _eligible(self, place: int, trials: Sequence[int], draws: Resamples) -> Bools:
        """In which resamples a setting meets the requirements that are judged by means over the trials."""
        eligible = np.ones(len(draws), dtype=np.bool_)
        candidate = self.candidates[place]
        for requirement in self.asked:
            if _few_queries(candidate, requirement):
                continue  # not known to fail, whichever trials are drawn
            means = _means(self.judge.judged_values(requirement, place, trials), draws)
            # Values of other trials only (an operating point may change) say nothing about this resample.
            eligible &= (requirement.threshold.holds_each(means) | np.isnan(means)).all(axis=0)
        return eligible


def resampled(contest: Contest, rng: np.random.Generator) -> dict[str, Floats]:
    """Each engine entry's outcomes, ascending, when the trials of every engine are drawn with replacement.

    Each engine's trials are resampled on their own, whole trials at a time (all filters and loads of a trial
    together); requirements are judged again in each resample.
    """
    return {engine: np.sort(contest.outcomes(engine, own, rng)) for engine, own in contest.entries().items()}


def win_share(outcomes: Mapping[str, Floats], own: Collection[str]) -> float:
    """How often one of these entries comes first, alone or before others of them.

    Entries being independent, the share is exact: over the values that the best of these may have, how often it has
    each times how often all others are below.
    """
    mine = [values for engine, values in outcomes.items() if engine in own]
    others = [values for engine, values in outcomes.items() if engine not in own]
    if not mine:
        return 0.0
    best = np.unique(np.concatenate(mine))
    best = best[~np.isneginf(best)]
    exactly = _all_up_to(mine, best, "right") - _all_up_to(mine, best, "left")
    return float((exactly * _all_up_to(others, best, "left")).sum())


def _all_up_to(outcomes: Sequence[Floats], limits: Floats, side: Literal["left", "right"]) -> Floats:
    """How often all outcomes are below each limit (left), or not above it (right)."""
    shares = (np.searchsorted(values, limits, side=side) / len(values) for values in outcomes)
    return math.prod(shares, start=np.ones(len(limits)))


def _few_queries(candidate: Candidate, requirement: Requirement) -> bool:
    entry = next(entry for entry in candidate.checks if entry.requirement == requirement.text)
    return entry.queries is not None and entry.queries < LEAST_QUERIES


def _row(by_trial: Mapping[int, float], trials: Sequence[int]) -> Floats:
    return np.array([[by_trial.get(trial, np.nan) for trial in trials]])


def _means(values: Floats, draws: Resamples) -> Floats:
    """Mean over the drawn trials, [rows, draws]; of trials without a value none, NaN where none has one."""
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
