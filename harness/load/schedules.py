"""Arrival schedules: when each request of an open loop is due. Data, computed first and then replayed."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Int64 = npt.NDArray[np.int64]

_NS_PER_S = 1e9


def poisson(rate_per_s: float, duration_s: float, rng: np.random.Generator) -> Int64:
    """Arrivals of independent users: exponential gaps with mean 1 / rate.

    Returns the ascending offsets int64[n] in ns, 0 <= offset < duration. Given their number, which is Poisson
    distributed, the arrivals of a Poisson process are independent and uniform over the window; so they are
    drawn. The union of several such schedules is one again, so several clients need no coordination.
    """
    _check(rate_per_s, duration_s)
    count = rng.poisson(rate_per_s * duration_s)
    # `random` is below 1, but rounding the product to a whole ns must not reach the end.
    offsets: Int64 = np.floor(rng.random(count) * (duration_s * _NS_PER_S)).astype(np.int64)
    offsets.sort()
    return offsets


def constant(rate_per_s: float, duration_s: float, phase: float = 0.0) -> Int64:
    """Arrivals exactly 1 / rate apart, the first after `phase` of a gap (0 <= phase < 1).

    Returns the offsets int64[n] in ns, all below duration. Each is rounded on its own: no error accumulates.
    Several clients must be given phases of their own, or they send together.
    """
    _check(rate_per_s, duration_s)
    if not 0 <= phase < 1:
        raise ValueError(f"phase must be in [0, 1), got {phase}")
    # One spare, cut off below: where rate x duration is a whole number but for rounding.
    count = int(np.ceil(rate_per_s * duration_s)) + 1
    offsets: Int64 = np.rint((np.arange(count) + phase) * (_NS_PER_S / rate_per_s)).astype(np.int64)
    within: Int64 = offsets[offsets < np.rint(duration_s * _NS_PER_S)]
    return within


def _check(rate_per_s: float, duration_s: float) -> None:
    if not rate_per_s > 0:
        raise ValueError(f"rate_per_s must be > 0, got {rate_per_s}")
    if not duration_s > 0:
        raise ValueError(f"duration_s must be > 0, got {duration_s}")


# By the names that scenarios use: (rate per second, duration in s, rng) -> offsets.
SCHEDULES: dict[str, Callable[[float, float, np.random.Generator], Int64]] = {
    "poisson": poisson,
    "constant": lambda rate_per_s, duration_s, _rng: constant(rate_per_s, duration_s),
}


def limited(schedule_ns: Int64, duration_s: float, most: int | None) -> tuple[Int64, float]:
    """The first `most` arrivals of a schedule (all if None), and the seconds over which they are offered.

    A schedule that is cut off ends when the first request that was cut off would have been due; its rate is that of
    the whole.
    """
    if most is None or len(schedule_ns) <= most:
        return schedule_ns, duration_s
    return schedule_ns[:most], max(1.0, float(schedule_ns[most])) / _NS_PER_S
