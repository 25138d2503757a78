"""How sure figures and differences of recommenders are: the bootstrap over cases. Pure; randomness is passed in.

A case is one user, and users are independent, so cases are what is drawn again. A difference of two recommenders is
taken case by case before it is averaged (paired), which removes how hard the cases are. Every interval is one on its
own: of many at 95 % some miss by chance.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from harness.results.stats import Comparison, Interval, student_t_quantile, student_t_tail, wilson_bounds
from models.evaluation.figures import Whole

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

DRAWS = 2000
_CELLS = 2 << 20  # weights that are held at a time
FEW_THAT_DIFFER = 30  # below, the bootstrap of values within -1 and 1 is too sure


@dataclass(frozen=True, slots=True)
class Means:
    """Means of f columns of values, and the same of every draw.

    values: float64[f]; counts: int64[f], cases with a value; draws: float64[draws, f]. NaN where no case has a value.
    """

    values: Floats
    counts: npt.NDArray[np.int64]
    draws: Floats


def weights(cases: int, draws: int, rng: np.random.Generator) -> Iterator[Floats]:
    """How often each case comes in each draw with replacement: float64[some draws, cases], block by block.

    Multinomial, so that every draw has as many cases as there are (Efron 1979).
    """
    step = max(1, _CELLS // max(1, cases))
    for first in range(0, draws, step):
        count = min(step, draws - first)
        drawn = rng.integers(0, cases, size=(count, cases)) + np.arange(count)[:, None] * cases
        block = np.bincount(drawn.ravel(), minlength=count * cases).reshape(count, cases)
        yield block.astype(np.float64)


def bootstrap_means(values: Floats, rng: np.random.Generator, draws: int = DRAWS) -> Means:
    """Means of the columns of float64[c, f] over all cases and over `draws` resamples of them.

    All columns see the same resamples, so functions of several means (a ratio) are paired too. NaN is no value: a mean
    is over the cases that have one.
    """
    known = ~np.isnan(values)
    filled = np.where(known, values, 0.0)
    counts = known.sum(axis=0)
    with np.errstate(invalid="ignore"):
        means = filled.sum(axis=0) / counts
        if not len(values):
            return Means(means, counts, np.full((draws, values.shape[1]), np.nan))
        partial = np.flatnonzero(counts < len(values))
        parts = []
        for block in weights(len(values), draws, rng):
            sizes = np.full((len(block), values.shape[1]), float(len(values)))
            sizes[:, partial] = block @ known[:, partial].astype(np.float64)
            parts.append((block @ filled) / sizes)
    return Means(means, counts, np.concatenate(parts))


def percentile_bounds(draws: Floats, cases: int, level: float) -> tuple[float, float]:
    """The percentile interval of a statistic from its draws float64[draws]; NaN among them are left out.

    The bootstrap's spread is that of a variance divided by n, and it knows no Student's t, so with few cases its
    interval is too narrow; the percentiles are moved outwards by as much (Hesterberg 2015, "What teachers should know
    about the bootstrap", the expanded percentile interval).
    """
    t = student_t_quantile((1 + level) / 2, cases - 1)
    tail = float(special.ndtr(-math.sqrt(cases / (cases - 1)) * t))
    low, high = np.nanquantile(draws, [tail, 1 - tail])
    return float(low), float(high)


def compare_means(
    values: Floats,
    rng: np.random.Generator,
    *,
    bounded: Bools | None = None,
    draws: int = DRAWS,
    level: float = 0.95,
) -> list[Comparison]:
    """For each column of paired differences float64[c, f], its mean with its interval and p-value.

    NaN: a case without the difference. bounded: bool[f], whether values lie within -1 and 1; None: none is known to.
    Where fewer than 30 cases of such a column differ from 0, `nearly_equal` takes the bootstrap's place: when not one
    differs, every draw is 0, and an interval from 0 to 0 would claim a certainty that no few cases give.
    """
    means = bootstrap_means(values, rng, draws)
    found = []
    for column in range(values.shape[1]):
        own = values[~np.isnan(values[:, column]), column]
        change = float(means.values[column])
        if len(own) < 2:
            found.append(Comparison(change, None, None, None, level))
        elif bounded is not None and bounded[column] and np.count_nonzero(own) < FEW_THAT_DIFFER:
            found.append(nearly_equal(own, level))
        else:
            drawn = means.draws[:, column]
            low, high = percentile_bounds(drawn, len(own), level)
            found.append(Comparison(change, low, high, bootstrap_p_value(drawn), level))
    return found


def nearly_equal(differences: Floats, level: float = 0.95, cases: float | None = None) -> Comparison:
    """The mean of differences within -1 and 1 of which few are not 0, with the interval of Agresti and Min (2005).

    They add half a case to each cell of the table of two paired answers (yes or no), which is one difference of 0 and
    half a case each of -1 and +1, and take the interval of the normal distribution; here also for values between. It
    is never of length 0, whatever the differences are. cases: how many stand behind them, where not len(differences).
    """
    count = len(differences) if cases is None else cases
    total, squares, n = float(differences.sum()), float((differences**2).sum()) + 1.0, count + 2
    error = math.sqrt(max(squares - total**2 / n, 0.0)) / n
    z = student_t_quantile((1 + level) / 2, 1e6)
    centre = total / n
    return Comparison(
        total / count, centre - z * error, centre + z * error, student_t_tail(centre / error, 1e6), level
    )


def share_interval(values: Floats, level: float = 0.95) -> Interval:
    """The mean of values within 0 and 1 (float64[c], NaN: none) with `wilson_bounds`.

    Wilson's because the bootstrap of a share that is 0 in every case is 0 in every draw.
    """
    known = values[~np.isnan(values)]
    if len(known) < 2:
        return Interval(float(known[0]) if len(known) else math.nan, None, None, level)
    mean, variance = np.array([known.mean()]), np.array([known.var(ddof=1)])
    low, high = wilson_bounds(mean, np.array([float(len(known))]), variance, level)
    return Interval(float(mean[0]), max(0.0, float(low[0])), min(1.0, float(high[0])), level)


def whole_interval(whole: Whole, level: float = 0.95) -> Interval:
    """A figure of all cases together with the jackknife's interval, within 0 and 1.

    Not the bootstrap's: a resample holds 63 % of the cases, so it shows fewer items than the cases themselves, and its
    draws all lie on one side of the figure. The jackknife's variance, the sum over cases of (added - mean added)^2, is
    never too small on average (Efron and Stein 1981). Such a figure is of this number of cases, and so is its interval.
    """
    low, high = _jackknife(whole.value, whole.added, level)
    if low is None or high is None:
        return Interval(whole.value, None, None, level)
    return Interval(whole.value, max(0.0, low), min(1.0, high), level)


def compare_wholes(first: Whole, second: Whole, level: float = 0.95) -> Comparison:
    """How much larger second is than first over the same cases, with the jackknife's paired interval."""
    change, added = second.value - first.value, second.added - first.added
    low, high = _jackknife(change, added, level)
    if low is None or high is None:
        return Comparison(change, None, None, None, level)
    error = (high - low) / 2 / student_t_quantile((1 + level) / 2, 1e6)
    p = student_t_tail(change / error, 1e6) if error > 0 else (1.0 if change == 0 else 0.0)
    return Comparison(change, low, high, p, level)


def _jackknife(value: float, added: Floats, level: float) -> tuple[float | None, float | None]:
    if len(added) < 2 or math.isnan(value):
        return None, None
    error = math.sqrt(float(((added - added.mean()) ** 2).sum()))
    half = student_t_quantile((1 + level) / 2, 1e6) * error
    return value - half, value + half


def bootstrap_p_value(draws: Any) -> float:
    """Two-sided, of no change: twice the smaller share of draws on either side of 0, the change itself counted in."""
    known = draws[~np.isnan(draws)]
    lower, upper = np.count_nonzero(known <= 0), np.count_nonzero(known >= 0)
    return min(1.0, 2 * (min(lower, upper) + 1) / (len(known) + 1))
