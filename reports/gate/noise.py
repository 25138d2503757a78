"""How much worse a figure became, how surely, and what would have been noticed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special

from harness.results.metrics import spec
from harness.results.stats import moderated

Floats = npt.NDArray[np.float64]

# The chance that a gate fails although nothing is worse by more than the tolerance, all comparisons together.
FALSE_ALARMS = 0.025
# Where no figure has a second trial the noise is unknown; this much is assumed (standard deviation of logarithms).
ASSUMED_NOISE = 0.3
_ROUNDING = 1e-12  # what remains of a difference of equal values
_ENOUGH, _LEAST = 10, 5  # figures of a metric, and of a load, whose noise has a prior of its own


@dataclass(frozen=True, slots=True)
class Losses:
    """How much worse n figures became: float64[n] each, positive is worse.

    loss: the estimate, current against the mean of the baselines. error: its standard error; 0 where the values are
    taken as exact. df: degrees of freedom of the error, infinite where it is known. between: the standard deviation
    seen between the runs of the baseline, of the figure's metric; NaN with one.
    """

    loss: Floats
    error: Floats
    df: Floats
    between: Floats

    def half_width(self, comparisons: int, level: float) -> Floats:
        """The one-sided interval's distance from the estimate: Student's quantile, corrected after Bonferroni so
        that all intervals hold at once with probability 1 - level, however the figures depend on each other.
        """
        tail = level / max(comparisons, 1)
        with np.errstate(invalid="ignore"):
            quantile = -np.where(
                np.isinf(self.df), special.ndtri(tail), special.stdtrit(np.minimum(self.df, 1e9), tail)
            )
        return np.where(self.error > 0, quantile * self.error, 0.0)


def losses(values: Floats, metrics: Sequence[str], loads: Sequence[str], offset: float) -> Losses:
    """Compares the last run with those before it.

    values: [n, runs, trials], how bad each figure was (logarithms, or recall lost), NaN where it was not measured; at
    least one value in the last run and one in the others. metrics, loads: what each figure is, and the executor or
    kind of task that it is of; those of one metric, or else of one load, share an estimate of their noise. What is
    not timed (see `MetricSpec`) differs between runs by its trials' noise only, and a single trial of it is exact.
    offset: the standard deviation by which timed figures of whole runs differ, as stated.

    The error has three parts. Trials: their variance within runs, moderated over the figures. Runs: the stated offset,
    known. Runs once more: by how much the baselines differ beyond what that explains, with as many degrees of freedom
    as there are baselines less one, for all figures of a run may move together. Degrees of freedom after Satterthwaite
    (1946).
    """
    timed = np.array([spec(metric).timed for metric in metrics], dtype=np.bool_)
    count = np.isfinite(values).sum(axis=2)
    mean, square = _by_run(values, count)
    runs = (count[:, :-1] > 0).sum(axis=1)
    before = np.where(count[:, :-1] > 0, mean[:, :-1], 0.0).sum(axis=1) / runs
    loss = mean[:, -1] - before
    loss = np.where(np.abs(loss) < _ROUNDING * np.maximum(np.abs(before), 1.0), 0.0, loss)

    own, own_df = _trial_variance(square, count)
    variance, df = _shared(own, own_df, timed, _groups(metrics, loads, timed))
    shares = np.where(count > 0, 1 / np.maximum(count, 1), 0.0)
    trials = variance * (shares[:, :-1].sum(axis=1) / runs**2 + shares[:, -1])

    between = _between(mean, count, runs, variance, metrics)
    known = timed * offset**2 * (1 + 1 / runs)
    beyond = timed * _unexplained(between, runs, offset) * (1 + 1 / runs)
    total = trials + known + beyond
    parts = _squared_over_df(trials, df) + _squared_over_df(beyond, np.maximum(runs - 1, 1))
    with np.errstate(divide="ignore", invalid="ignore"):
        total_df = np.where(parts > 0, total**2 / parts, np.inf)
    return Losses(loss, np.sqrt(total), total_df, between)


def _by_run(values: Floats, count: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Means and sums of squared deviations, [n, runs]; equal values deviate by exactly 0."""
    filled = np.where(np.isfinite(values), values, 0.0)
    mean = np.where(count > 0, filled.sum(axis=2) / np.maximum(count, 1), np.nan)
    deviations = np.where(np.isfinite(values), values - mean[:, :, None], 0.0)
    scale = np.maximum(np.abs(filled).max(axis=2, initial=0.0), 1.0)
    deviations = np.where(np.abs(deviations) < _ROUNDING * scale[:, :, None], 0.0, deviations)
    return mean, (deviations**2).sum(axis=2)


def _trial_variance(square: Floats, count: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """The variance of one trial, [n], and its degrees of freedom: 0 where no run has a second trial.

    The mean of the baselines' and the current run's, so that many quiet baselines do not hide a noisy current run; the
    noise is taken as equal on both sides, for with three trials Welch's df falls to 2, which proves nothing. Where one
    side has no second trial, the other's noise is taken for both.
    """
    free = np.maximum(count - 1, 0)
    df = free[:, :-1].sum(axis=1), free[:, -1]
    own = [
        np.where(some > 0, total / np.maximum(some, 1), 0.0)
        for total, some in zip((square[:, :-1].sum(axis=1), square[:, -1]), df, strict=True)
    ]
    both = (df[0] > 0) & (df[1] > 0)
    variance = np.where(both, (own[0] + own[1]) / 2, np.where(df[0] > 0, own[0], own[1]))
    freedom = 4 / (1 / np.maximum(df[0], 1) + 1 / np.maximum(df[1], 1))
    return variance, np.where(both, freedom, df[0] + df[1]).astype(np.float64)


def _squared_over_df(part: Floats, df: npt.NDArray[np.generic]) -> Floats:
    return np.where(part > 0, part**2 / np.maximum(df, 1e-9), 0.0)


def _shared(
    own: Floats, own_df: Floats, timed: npt.NDArray[np.bool_], groups: npt.NDArray[np.str_]
) -> tuple[Floats, Floats]:
    """Moderated within groups; assumed where nothing is known.

    What does not depend on time and is the same in every trial is exact, whatever others are.
    """
    variance, df = own.copy(), own_df.copy()
    for group in np.unique(groups):
        rows = groups == group
        variance[rows], df[rows] = moderated(own[rows], own_df[rows])
    exact = ~timed & ((own == 0) | (own_df == 0))
    variance = np.where(exact, 0.0, np.where(df == 0, ASSUMED_NOISE**2, variance))
    return variance, np.where(exact | (df == 0), np.inf, df)


def _groups(
    metrics: Sequence[str], loads: Sequence[str], timed: npt.NDArray[np.bool_]
) -> npt.NDArray[np.str_]:
    """Which figures share an estimate of their noise: those of a metric under a load; where these are few, those of the
    load; where these are few too, all. Timed figures are kept apart from the others.
    """
    kinds = [f"timed {own}" for own in timed]
    by_load = [f"{kind} {load}" for kind, load in zip(kinds, loads, strict=True)]
    by_metric = [f"{group} {metric}" for group, metric in zip(by_load, metrics, strict=True)]
    often = Counter([*by_load, *by_metric])
    chosen = [
        metric if often[metric] >= _ENOUGH else load if often[load] >= _LEAST else kind
        for metric, load, kind in zip(by_metric, by_load, kinds, strict=True)
    ]
    return np.array(chosen, dtype=np.str_)


def _unexplained(between: Floats, runs: npt.NDArray[np.int64], offset: float) -> Floats:
    """The variance between runs beyond the 90 % quantile of what would be seen if the stated offset were true."""
    df = np.maximum(runs - 1, 1)
    explained: Floats = offset**2 * special.chdtri(df, 0.1) / df
    return np.maximum(np.nan_to_num(between) ** 2 - explained, 0.0)


def _between(
    mean: Floats,
    count: npt.NDArray[np.int64],
    runs: npt.NDArray[np.int64],
    variance: Floats,
    metrics: Sequence[str],
) -> Floats:
    """The standard deviation between the baseline's runs beyond what trials explain, by metric; NaN where unknown."""
    found = np.full(len(mean), np.nan)
    several = runs > 1
    if not several.any():
        return found
    seen = count[:, :-1] > 0
    centre = np.where(seen, mean[:, :-1], 0.0).sum(axis=1) / runs
    spread = (np.where(seen, mean[:, :-1] - centre[:, None], 0.0) ** 2).sum(axis=1) / np.maximum(runs - 1, 1)
    explained = variance * np.where(seen, 1 / np.maximum(count[:, :-1], 1), 0.0).sum(axis=1) / runs
    excess = spread - explained
    names = np.array(metrics)
    for name in np.unique(names[several]):
        rows = several & (names == name)
        found[rows] = np.sqrt(max(float(excess[rows].mean()), 0.0))
    return found
