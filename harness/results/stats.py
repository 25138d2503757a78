"""Uncertainty from a few trials: intervals, comparisons, resamples. Pure; randomness is passed in."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]
Values = Sequence[float] | Floats

_PRIOR_VALUES = 30
_EXACT_UP_TO = 5  # 5 trials have 3,125 ordered resamples, 6 would have 46,656
_LEAST_FOR_A_PRIOR = 5  # variances; a prior fitted to fewer would be random
_PRIOR_AT_MOST = 30  # degrees of freedom that a prior has at most


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its interval; low and high are None where the values carry none."""

    estimate: float
    low: float | None
    high: float | None
    level: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """How b differs from a: `change` is a ratio or a difference (see the function), with its interval.

    p_value: two-sided, of no change at all. low, high and p_value are None with fewer than two values on
    either side, for one trial says nothing about noise.
    """

    change: float
    low: float | None
    high: float | None
    p_value: float | None
    level: float


def harmonic_mean(values: Values, axis: int | None = None, *, weights: Values | None = None) -> Any:
    """The count over sum(1 / x): the throughput of a mix of workloads done at these throughputs.

    weights: how often each is done, all > 0; equally often by default. 0 where any value is 0 (a workload that never
    gets done). NaN propagates.
    """
    data = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return 1 / np.average(1 / data, axis=axis, weights=weights)


def student_t_tail(t: float, df: float) -> float:
    """P(|T| >= |t|) of Student's distribution."""
    return float(2 * special.stdtr(df, -abs(t)))


def student_t_quantile(p: float, df: float) -> float:
    """The t with P(T <= t) = p, for 0 < p < 1 and df > 0."""
    return float(special.stdtrit(df, p))


def mean_interval(values: Values, level: float = 0.95) -> Interval:
    """The mean with Student's interval, mean +- t(n - 1) * s / sqrt(n).

    Chosen over the bootstrap because with 2-5 trials resampling can only re-arrange the values seen and its
    intervals are far too narrow (of 3 normal values a nominal 95 % covers 67 %); Student's t allows for the unknown
    spread.
    Assumes trials independent and roughly normal. One value: no interval.
    """
    data = np.asarray(values, dtype=np.float64)
    if len(data) < 2:
        return Interval(float(data[0]), None, None, level)
    # The mean of equal values must be that value: 0.95 three times, averaged in floating point, is below 0.95.
    mean = float(np.clip(data.mean(), data.min(), data.max()))
    if data.min() == data.max():
        return Interval(mean, mean, mean, level)
    half = student_t_quantile((1 + level) / 2, len(data) - 1) * float(data.std(ddof=1)) / math.sqrt(len(data))
    return Interval(mean, mean - half, mean + half, level)


def wilson_bounds(
    mean: Floats, count: Floats, variance: Floats, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Interval of the mean of `count` values between 0 and 1 that have this variance; element by element.

    Wilson's score interval (1927) with the effective number of values count * p (1 - p) / variance: a share of yes and
    no has the largest variance that values between 0 and 1 can have, so values that vary less count for more (the
    design effect of Kish 1965), at most ten times. The variance is an estimate too, from values of which few may be
    far off, so it is moved towards the largest possible one with the weight of 30 values: with 40 to 1,000 values
    the interval then covers what it should (93 to 99 %, by simulation). NaN as variance: as if it were the largest.
    NaN where mean or count is, and of no values.
    """
    z = student_t_quantile((1 + level) / 2, 1e6)
    most = mean * (1 - mean)
    some = np.where(count > 0, count, np.nan)
    drawn = (some * np.where(np.isnan(variance), most, variance) + _PRIOR_VALUES * most) / (
        some + _PRIOR_VALUES
    )
    gain = np.divide(most, drawn, out=np.ones_like(most), where=drawn > 0)
    n = some * np.clip(gain, 1.0, 10.0)
    centre = (mean + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(most / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return centre - half, centre + half


def compare_differences(
    a: Values, b: Values, level: float = 0.95, *, inflate: tuple[float, float] = (1.0, 1.0)
) -> Comparison:
    """mean(b) - mean(a) with Welch's interval (unequal variances; Welch 1947, df after Satterthwaite 1946).

    inflate: factors on the variance of each mean, for values that are not independent. Where neither side varies, the
    difference is taken as exact.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    change = float(second.mean() - first.mean())
    if min(len(first), len(second)) < 2:
        return Comparison(change, None, None, None, level)
    shares = [
        more * float(side.var(ddof=1)) / len(side)
        for more, side in zip(inflate, (first, second), strict=True)
    ]
    variance = sum(shares)
    # Rounding of equal values leaves a variance of 1e-33 or so: that is no noise, and its df is meaningless.
    scale = max(float(np.abs(first).max()), float(np.abs(second).max()))
    if variance <= (1e-12 * scale) ** 2:
        return Comparison(change, change, change, 1.0 if abs(change) <= 1e-12 * scale else 0.0, level)
    df = variance**2 / sum(
        share**2 / (len(side) - 1) for share, side in zip(shares, (first, second), strict=True)
    )
    error = math.sqrt(variance)
    half = student_t_quantile((1 + level) / 2, df) * error
    return Comparison(change, change - half, change + half, student_t_tail(change / error, df), level)


def compare_ratios(
    a: Values, b: Values, level: float = 0.95, *, inflate: tuple[float, float] = (1.0, 1.0)
) -> Comparison:
    """Geometric mean of b over that of a, with Welch's interval taken on logarithms. Values must be > 0.

    Timings and rates vary by factors, not by amounts, so their logarithms are nearer to normal, and a ratio
    of two engines needs no further approximation. Raises ValueError for values <= 0.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if min(float(first.min()), float(second.min())) <= 0:
        raise ValueError("ratios need values > 0")
    logs = compare_differences(np.log(first), np.log(second), level, inflate=inflate)
    low, high = (None if bound is None else math.exp(bound) for bound in (logs.low, logs.high))
    return Comparison(math.exp(logs.change), low, high, logs.p_value, level)


def resamples(n: int, rng: np.random.Generator, draws: int = 2000) -> npt.NDArray[np.int64]:
    """Index rows [m, n] of the resamples of n trials with replacement, each row equally likely.

    All n^n of them up to 5 trials (3 trials: 27), so that nothing is left to chance; `draws` random
    ones above.
    """
    if n <= _EXACT_UP_TO:
        return np.array(list(itertools.product(range(n), repeat=n)), dtype=np.int64)
    return rng.integers(0, n, size=(draws, n))


def moderated(variances: Values, df: Values) -> tuple[Floats, Floats]:
    """Variances estimated from a few values each, moved towards a common prior; and their df.

    variances: n estimates of similar quantities. df: their degrees of freedom, 0 for "no estimate" (its variance is
    ignored). The prior, a scaled inverse chi-square distribution, is fitted to the positive estimates by the
    moments of their logarithms (Smyth 2004, section 6.2: limma's moderated t). A prior is worth at most as many
    degrees of freedom as it rests on estimates, and 30 at most. With fewer than five of them there is no prior and
    the estimates stay as they are.
    """
    found, freedom = np.asarray(variances, dtype=np.float64), np.asarray(df, dtype=np.float64)
    known = (freedom > 0) & (found > 0)
    count = int(np.count_nonzero(known))
    if count < _LEAST_FOR_A_PRIOR:
        return np.where(freedom > 0, found, np.nan), freedom
    half = freedom[known] / 2
    logs = np.log(found[known]) - special.digamma(half) + np.log(half)
    spread = float(logs.var(ddof=1) - special.polygamma(1, half).mean())
    prior_half = min(_inverse_trigamma(spread) if spread > 0 else np.inf, min(count, _PRIOR_AT_MOST) / 2)
    prior = float(np.exp(logs.mean() + special.digamma(prior_half) - np.log(prior_half)))
    total = freedom + 2 * prior_half
    own = np.where(freedom > 0, freedom * np.where(freedom > 0, found, 0.0), 0.0)
    return (own + 2 * prior_half * prior) / total, total


def _inverse_trigamma(value: float) -> float:
    """The x > 0 whose trigamma function is `value` > 0, by Newton's method on 1 / trigamma (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(20):  # it converges from below, quadratically; far fewer steps would do
        trigamma = float(special.polygamma(1, x))
        x += trigamma * (1 - trigamma / value) / float(special.polygamma(2, x))
    return x


def rate_rise_p(events: Any, exposure: Any, before: Any, exposure_before: Any, factor: Any = 1.0) -> Any:
    """P(at least `events` | the rate is `factor` times that of before), of two Poisson rates; element by element.

    Given their sum, `events` is binomial with the share that its exposure has (Przyborowski, Wilenski 1940); so
    windows of different length compare. Counts may be fractions (divided by their dispersion). 1 without events.
    """
    share = factor * exposure / (factor * exposure + exposure_before)
    some = np.maximum(events, np.finfo(float).tiny)
    return np.where(np.asarray(events) > 0, special.betainc(some, np.asarray(before) + 1.0, share), 1.0)


def rate_rise_bound(events: Any, exposure: Any, before: Any, exposure_before: Any, level: float) -> Any:
    """The least factor between two Poisson rates that `events` is compatible with: one-sided Clopper-Pearson, `level`
    being the chance that the true one is lower. 0 without events. Element by element.
    """
    some = np.maximum(events, np.finfo(float).tiny)
    share = special.betaincinv(some, np.asarray(before) + 1.0, level)
    bound = share / (1 - share) * exposure_before / exposure
    return np.where(np.asarray(events) > 0, bound, 0.0)


def rate_rise_events(
    exposure: Any, before: Any, exposure_before: Any, level: float, factor: Any = 1.0
) -> Any:
    """How many events (a fraction) would have had `rate_rise_p` = `level`."""
    share = factor * exposure / (factor * exposure + exposure_before)
    return special.btdtria(level, np.asarray(before) + 1.0, share)


def dispersion(events: Floats, exposure: Floats) -> float:
    """How much more counts vary than Poisson counts of a steady rate do: Pearson's chi-square over its df, at least 1.

    events, exposure: [n, values], each row with a rate of its own; NaN where there is no value.
    """
    seen = np.isfinite(events) & (exposure > 0)
    total = np.where(seen, events, 0.0).sum(axis=1)
    rate = total / np.maximum(np.where(seen, exposure, 0.0).sum(axis=1), np.finfo(float).tiny)
    expected = np.where(seen, exposure, 0.0) * rate[:, None]
    used = seen & (expected > 0)
    df = int(np.maximum(used.sum(axis=1) - 1, 0).sum())
    if df == 0:
        return 1.0
    deviations = np.where(used, events - expected, 0.0) ** 2 / np.where(used, expected, 1.0)
    return max(1.0, float(deviations.sum()) / df)
