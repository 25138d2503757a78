"""Warming up until the throughput is steady."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from time import perf_counter_ns
from typing import NamedTuple

import numpy as np

from harness.results.samples import OK, Samples

_SLICES = 3  # slices that are compared with each other, and with as many before them
_ALIKE = 0.05


class Warm(NamedTuple):
    """How a warm-up went. seconds: how long it took. steady: whether it ended because the throughput was steady, and
    not because its time was up. rates: requests answered a second in each slice. errors: texts of failed requests, and
    how often each.
    """

    seconds: float
    steady: bool
    rates: tuple[float, ...]
    errors: Counter[str]


def warm_up(
    drive: Callable[[float, int], Samples],
    *,
    least_s: float,
    most_s: float,
    slice_s: float = 0.25,
    tolerance: float = _ALIKE,
) -> Warm:
    """Runs load in slices of `slice_s` until it is steady, for at least `least_s` and at most `most_s`.

    drive: runs the load for so many seconds and returns its samples; the second argument numbers the slices, as the
    seed of the order in which each asks its queries. In an open loop, whose throughput is the offered one, let it
    run closed, or judge by `steady` over service times instead.
    """
    start_ns = perf_counter_ns()
    rates: list[float] = []
    errors: Counter[str] = Counter()
    while True:
        passed_s = (perf_counter_ns() - start_ns) / 1e9
        if passed_s >= least_s and is_steady(rates, tolerance):
            return Warm(passed_s, True, tuple(rates), errors)
        if passed_s >= most_s:
            return Warm(passed_s, False, tuple(rates), errors)
        samples = drive(min(slice_s, most_s - passed_s), len(rates))
        rates.append(answer_rate(samples))
        errors.update(samples.errors)


def answer_rate(samples: Samples) -> float:
    """Successful requests a second that each client spent in the engine, times the clients; 0 where none succeeded.

    Computed from service times, so that it also shows the speed of an engine that waits for requests of an open loop.
    """
    answered = samples.status == OK
    if not answered.any():
        return 0.0
    busy_s = max(int(samples.service_time_ns.sum()), 1) / 1e9
    return float(np.count_nonzero(answered) / busy_s * len(np.unique(samples.client)))


def is_steady(rates: Sequence[float], tolerance: float = _ALIKE) -> bool:
    """Whether rates have stopped rising: the last three are within `tolerance` of each other or rise no longer.

    rates: of slices of equal length, oldest first. They rise no longer when the last three are on average no more than
    `tolerance` above the three before: on a noisy machine single slices may never be alike.
    """
    last = np.asarray(rates[-_SLICES:])
    if len(last) < _SLICES or last.min() <= 0:
        return False
    if last.max() <= last.min() * (1 + tolerance):
        return True
    before = np.asarray(rates[-2 * _SLICES : -_SLICES])
    return len(before) == _SLICES and float(last.mean()) <= float(before.mean()) * (1 + tolerance)
