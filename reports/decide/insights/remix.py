"""Who would lead with another mix of filters, or if other settings were eligible: by the rule of the ranking, for many
mixes at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from reports.decide.cells import Bools, Configuration, Floats, Ints
from reports.decide.evidence import Evidence

_NEVER = 1e300  # seconds of a query that is never answered
_ZERO = 1e100  # a ratio from here on is one to a figure of 0


@dataclass(frozen=True, slots=True)
class Leader:
    """An engine entry at its best setting. ahead: by which factor its figure is better than that of the next entry;
    None where there is none or it is 0. alone: whether there is none. trials: how many its score is the mean of.
    """

    setting: Configuration
    score: float
    trials: int
    ahead: float | None
    alone: bool


class Remix:
    """A run's figures by candidate, filter and trial, ready to be mixed anew. The judgement of candidates is given."""

    def __init__(self, evidence: Evidence) -> None:
        cells = evidence.cells
        self._goal, self._settings, self.filters = cells.goal, cells.candidates, cells.filters
        figures = np.where(cells.failed, np.nan, cells.matrix(cells.goal.metric))
        place = {name: number for number, name in enumerate(self.filters)}
        values = np.full((len(self._settings), len(self.filters), len(cells.trials)), np.nan)
        for number, setting in enumerate(self._settings):
            for group in cells.objective_numbers(setting):
                values[number, place[cells.groups[group].filter]] = figures[group]
        # A trial that lacks a filter counts for no mix.
        whole = ~np.isnan(values).any(axis=1)
        self._known = whole
        self._figures = np.where(whole[:, None, :], values, np.nan)
        names = np.array([setting.engine for setting in self._settings], dtype=object)
        self._entries = [np.flatnonzero(names == name) for name in dict.fromkeys(names.tolist())]
        self.present: Floats = cells.goal.shares(self.filters)

    def leaders(self, mixes: Floats, eligible: Bools) -> list[Leader | None]:
        """The leader of each mix; None where nothing is eligible.

        mixes: shares [mixes, filters], each row summing to 1. eligible: [candidates].
        """
        scores = np.full((len(self._entries), len(mixes)), -np.inf)
        chosen = np.zeros(scores.shape, dtype=np.int64)
        for entry, members in enumerate(self._entries):
            own = members[eligible[members] & self._known[members].any(axis=1)]
            if len(own):
                scores[entry], picked = self._best(own, mixes)
                chosen[entry] = own[picked]
        return [self._leader(scores[:, mix], chosen[:, mix]) for mix in range(len(mixes))]

    def _leader(self, scores: Floats, chosen: Ints) -> Leader | None:
        order = np.argsort(-scores, kind="stable")
        first = order[0] if len(order) else None
        if first is None or np.isneginf(scores[first]):
            return None
        number = int(chosen[first])
        score, ahead = abs(float(scores[first])), None
        alone = len(order) == 1 or bool(np.isneginf(scores[order[1]]))
        if not alone:
            ratio = self._goal.ratio(score, abs(float(scores[order[1]])))
            ahead = ratio if ratio < _ZERO else None
        return Leader(self._settings[number], score, int(self._known[number].sum()), ahead, alone)

    def _best(self, own: Ints, mixes: Floats) -> tuple[Floats, Ints]:
        """The score [mixes], more being better, and the setting of one entry, as `selection.select` and `rank` have
        them: each trial is judged at the setting that is best in all others.
        """
        oriented = self._goal.oriented(self._mixed(self._figures[own], mixes))  # [settings, trials, mixes]
        known = self._known[own]
        filled = np.where(known[:, :, None], oriented, 0.0)
        total, count = filled.sum(axis=1), known.sum(axis=1)
        chosen = np.argmax(total / count[:, None], axis=0)
        columns = np.arange(len(mixes))
        score, judged = np.zeros(len(mixes)), np.zeros(len(mixes))
        steady = np.ones(len(mixes), dtype=np.bool_)
        for trial in range(known.shape[1]):
            others = count - known[:, trial]
            usable = known[:, trial] & (others > 0)
            rest = (total - filled[:, trial]) / np.maximum(others, 1)[:, None]
            picked = np.argmax(np.where(usable[:, None], rest, -np.inf), axis=0)
            counts = known[chosen, trial] & usable[picked]
            steady &= ~counts | (picked == chosen)
            score += np.where(counts, filled[picked, trial, columns], 0.0)
            judged += counts
        # Of one trial, or where the choice never changes, the figure is that of the setting itself.
        means = self._means(own)
        shown = self._goal.oriented(self._mixed(means[:, :, None], mixes)[:, 0])[chosen, columns]
        steady |= judged < 2
        return np.where(steady, shown, score / np.maximum(judged, 1)), chosen

    def _means(self, own: Ints) -> Floats:
        """Over the trials, [settings, filters]."""
        known = self._known[own]
        return np.asarray(
            np.where(known[:, None, :], self._figures[own], 0.0).sum(axis=2) / known.sum(axis=1)[:, None]
        )

    def _mixed(self, figures: Floats, mixes: Floats) -> Floats:
        """`Objective.mix` of figures [settings, filters, trials] for every mix: [settings, trials, mixes]."""
        costs: npt.NDArray[np.float64] = figures
        if self._goal.maximise:
            costs = np.where(figures > 0, 1 / np.where(figures > 0, figures, 1.0), _NEVER)
            costs = np.where(np.isnan(figures), np.nan, costs)
        mixed = np.tensordot(costs, mixes, axes=([1], [1]))
        return np.asarray(1 / mixed if self._goal.maximise else mixed)
