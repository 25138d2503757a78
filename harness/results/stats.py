"""Uncertainty from a few trials: intervals, comparisons, resamples. Pure; randomness is passed in."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Values = Sequence[float] | Floats

_PRIOR_VALUES = 30
_EXACT_UP_TO = 5  # 5 trials have 3,125 ordered resamples, 6 would have 46,656


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


def harmonic_mean(values: Values, axis: int | None = None) -> Any:
    """The count over sum(1 / x): the throughput of an equal mix of workloads done at these throughputs.

    0 where any value is 0 (a workload that never gets done). NaN propagates.
    """
    data = np.asarray(values, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return 1 / np.mean(1 / data, axis=axis)


def incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta function I_x(a, b) for a, b > 0.

    The continued fraction of NIST DLMF 8.17.22, evaluated from its tail; the symmetry
    I_x(a, b) = 1 - I_{1-x}(b, a) (8.17.4) keeps x where it converges fast.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - incomplete_beta(b, a, 1 - x)
    fraction = 1.0
    for n in range(30 + 10 * math.isqrt(int(max(a, b))), 0, -1):  # it settles within O(sqrt(max(a, b))) terms
        m = n // 2
        top = -(a + m) * (a + b + m) if n % 2 else m * (b - m)
        fraction = 1 + top * x / ((a + n - 1) * (a + n)) / fraction
    log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
    return math.exp(a * math.log(x) + b * math.log1p(-x) - log_beta) / (a * fraction)


def student_t_tail(t: float, df: float) -> float:
    """P(|T| >= |t|) of Student's distribution: I_{df/(df + t^2)}(df/2, 1/2) (Abramowitz, Stegun 26.7.1)."""
    return incomplete_beta(df / 2, 0.5, df / (df + t * t))


@functools.cache
def student_t_quantile(p: float, df: float) -> float:
    """The t with P(T <= t) = p, for 0 < p < 1 and df > 0, by bisection of the exact tail."""
    if p < 0.5:
        return -student_t_quantile(1 - p, df)
    tail = 2 * (1 - p)
    high = 1.0
    while student_t_tail(high, df) > tail:
        high *= 2
    low = 0.0
    while (middle := (low + high) / 2) not in (low, high):
        low, high = (middle, high) if student_t_tail(middle, df) > tail else (low, middle)
    return middle


def mean_interval(values: Values, level: float = 0.95) -> Interval:
    """The mean with Student's interval, mean +- t(n - 1) * s / sqrt(n).

    Chosen over the bootstrap because with 2-5 trials resampling can only re-arrange the values seen and its
    intervals are far too narrow (of 3 normal values a nominal 95 % covers 67 %); t pays for the unknown spread.
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
    far off, so it is drawn towards the largest one with the weight of 30 values: with 40 to 1,000 values the interval
    then covers what it should (93 to 99 %, by simulation). NaN as variance: as if it were the largest. NaN where mean
    or count is, and of no values.
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


def benjamini_hochberg(p_values: Values, rate: float = 0.05) -> npt.NDArray[np.bool_]:
    """Which of many tests to believe so that at most `rate` of those believed are false, on average.

    Step-up procedure of Benjamini and Hochberg (1995); holds for positively correlated tests too (Benjamini
    and Yekutieli 2001), as metrics of one run are.
    """
    p = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(p, kind="stable")
    passed = np.nonzero(p[order] <= rate * np.arange(1, len(p) + 1) / max(len(p), 1))[0]
    believed = np.zeros(len(p), dtype=np.bool_)
    if len(passed):
        believed[order[: passed[-1] + 1]] = True
    return believed
