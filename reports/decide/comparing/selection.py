"""An engine's best setting, and how good it is by trials that did not choose it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.results.stats import Comparison, compare_ratios

Floats = npt.NDArray[np.float64]

# Two-sided. At 95 % up to 4.5 % of the runs with equal engines end in a pick, too near to the 5 % that are promised; at
# 97 % it is 3 % at most (tests/simulations).
LEVEL = 0.97


@dataclass(frozen=True, slots=True)
class Selection:
    """Which of an engine's settings was chosen, as a number into those given.

    by_trial: the objective in each trial at the setting that is best in all *other* trials: no trial judges the setting
    that it helped to choose, so that with many settings not the luckiest figure is shown. shown: the objective of the
    chosen setting trial by trial. steady: whether the choice is the same whichever trial is left out; then by_trial and
    shown agree. clear: whether every trial by itself would choose it.
    """

    chosen: int
    by_trial: Mapping[int, float]
    shown: Mapping[int, float]
    steady: bool
    clear: bool

    @property
    def score(self) -> float:
        """The mean of by_trial."""
        return float(np.mean(list(self.by_trial.values())))


def select(settings: Sequence[Mapping[int, float]], *, maximise: bool) -> Selection:
    """Chooses among settings, each given by its objective in each trial; at least one has a trial.

    With one trial nothing can be left out: by_trial is what the chosen setting showed.
    """
    sign = 1.0 if maximise else -1.0
    trials = sorted({trial for values in settings for trial in values})
    oriented = np.array([[sign * values.get(trial, np.nan) for trial in trials] for values in settings])
    chosen = _best(oriented)
    shown = settings[chosen]
    if len(shown) < 2:
        return Selection(chosen, shown, shown, True, True)
    by_trial, steady, clear = {}, True, True
    for place, trial in enumerate(trials):
        if trial not in shown:
            continue
        others = np.delete(oriented, place, axis=1)
        others[np.isnan(oriented[:, place])] = (
            np.nan
        )  # a setting that this trial lacks cannot be judged by it
        picked = _best(others)
        steady &= picked == chosen
        clear &= _best(oriented[:, place : place + 1]) == chosen
        by_trial[trial] = settings[picked][trial]
    return Selection(chosen, shown if steady else by_trial, shown, steady, clear)


def _best(oriented: Floats) -> int:
    """The row with the highest mean of what it has; rows without a value come last, ties to the first."""
    seen = ~np.isnan(oriented)
    counts = seen.sum(axis=1)
    means = np.where(seen, oriented, 0.0).sum(axis=1) / np.maximum(counts, 1)
    return int(np.argmax(np.where(counts > 0, means, -np.inf)))


def compare(leader: Selection, rival: Selection, *, maximise: bool) -> Comparison | None:
    """By which factor the leader is better (above 1), with an interval that allows for the choice of settings.

    The interval reaches over two comparisons: with the rival judged like the leader, by trials that did not choose, and
    with the rival at the best that it showed, which favours the rival. Where single trials would
    choose another setting, the trials left out are not independent of each other, and the variance of their mean is
    taken 1 + n / (n - 1) times as large (Nadeau and Bengio 2003, for n folds). Welch's interval on logarithms. None
    where a figure is 0.
    """
    mine, theirs, best = (_values(values) for values in (leader.by_trial, rival.by_trial, rival.shown))
    if min(mine + theirs + best) <= 0:
        return None
    alike = _ratio(theirs, mine, (_inflation(rival), _inflation(leader)), maximise=maximise)
    generous = _ratio(best, mine, (1.0, _inflation(leader)), maximise=maximise)
    if alike.low is None or generous.low is None or alike.high is None or generous.high is None:
        return alike
    return Comparison(
        alike.change,
        min(alike.low, generous.low),
        max(alike.high, generous.high),
        None,
        LEVEL,
    )


def _values(by_trial: Mapping[int, float]) -> list[float]:
    return list(by_trial.values())


def _inflation(selection: Selection) -> float:
    count = len(selection.by_trial)
    return 1.0 if selection.clear else 1 + count / (count - 1)


def _ratio(
    rival: list[float], leader: list[float], inflate: tuple[float, float], *, maximise: bool
) -> Comparison:
    if maximise:
        return compare_ratios(rival, leader, LEVEL, inflate=inflate)
    return compare_ratios(leader, rival, LEVEL, inflate=(inflate[1], inflate[0]))
