from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load.schedules import constant, limited, poisson

RATES = st.floats(0.1, 5000)
DURATIONS = st.floats(0.001, 2)


@given(RATES, DURATIONS, st.integers(0, 2**32))
def test_poisson_is_ascending_within_the_window_and_reproducible(rate: float, duration: float, seed: int):
    offsets = poisson(rate, duration, np.random.default_rng(seed))
    assert offsets.dtype == np.int64
    assert (np.diff(offsets) >= 0).all()
    assert ((offsets >= 0) & (offsets < duration * 1e9)).all()
    assert np.array_equal(offsets, poisson(rate, duration, np.random.default_rng(seed)))


def test_poisson_has_the_gaps_and_counts_of_a_poisson_process():
    rng = np.random.default_rng(1)
    gaps_s = np.diff(poisson(1000, 100, rng)) / 1e9
    # An exponential distribution has mean = standard deviation, and exp(-1) of it lies beyond the mean.
    assert gaps_s.mean() == pytest.approx(1e-3, rel=0.02)
    assert gaps_s.std() == pytest.approx(1e-3, rel=0.03)
    assert (gaps_s > 1e-3).mean() == pytest.approx(np.exp(-1), abs=0.01)
    counts = [len(poisson(50, 1, rng)) for _ in range(2000)]
    assert np.mean(counts) == pytest.approx(50, rel=0.02)
    assert np.var(counts) == pytest.approx(50, rel=0.15)


def test_clients_of_one_rng_do_not_start_in_phase():
    rng = np.random.default_rng(2)
    first, second = poisson(100, 10, rng), poisson(100, 10, rng)
    assert first[0] != second[0]
    assert len(np.intersect1d(first, second)) == 0
    assert len(np.intersect1d(constant(100, 1, 0.25), constant(100, 1, 0.75))) == 0


@given(RATES, DURATIONS, st.floats(0, 0.999))
def test_constant_has_every_request_at_its_multiple(rate: float, duration: float, phase: float):
    offsets = constant(rate, duration, phase)
    gap_ns = 1e9 / rate
    assert offsets.dtype == np.int64
    assert np.allclose(offsets, (np.arange(len(offsets)) + phase) * gap_ns, rtol=0, atol=1)
    assert (offsets < duration * 1e9 + 1).all()
    # None is missing at the end: the next would lie outside.
    assert (len(offsets) + phase) * gap_ns > duration * 1e9 - 1


@pytest.mark.parametrize(("rate", "duration"), [(500, 10), (3, 1), (0.1, 30), (7, 0.3), (1000, 1.1)])
def test_constant_counts_are_exact(rate: float, duration: float):
    assert len(constant(rate, duration)) == int(np.ceil(round(rate * duration, 6)))


@pytest.mark.parametrize(
    ("call", "named"),
    [
        (lambda: poisson(0, 1, np.random.default_rng(0)), "rate_per_s must be > 0, got 0"),
        (lambda: poisson(float("nan"), 1, np.random.default_rng(0)), "rate_per_s"),
        (lambda: constant(-1, 1), "rate_per_s must be > 0, got -1"),
        (lambda: constant(1, 0), "duration_s must be > 0, got 0"),
        (lambda: constant(1, 1, 1.0), "phase must be in"),
        (lambda: constant(1, 1, -0.1), "phase must be in"),
    ],
)
def test_bad_arguments_are_named(call, named: str):
    with pytest.raises(ValueError, match=named.replace(".", "[.]")):
        call()


def test_a_schedule_that_is_cut_off_keeps_its_rate():
    schedule = constant(100, 10.0)
    head, seconds = limited(schedule, 10.0, 50)
    assert np.array_equal(head, schedule[:50])
    assert len(head) / seconds == pytest.approx(100)
    drawn = poisson(1000, 60.0, np.random.default_rng(5))
    head, seconds = limited(drawn, 60.0, 20_000)
    assert len(head) == 20_000
    assert (head < seconds * 1e9).all()
    assert len(head) / seconds == pytest.approx(1000, rel=0.03)


@pytest.mark.parametrize("most", [None, 1000, 5000])
def test_a_schedule_within_the_limit_stays_as_it_is(most):
    schedule = constant(100, 10.0)
    head, seconds = limited(schedule, 10.0, most)
    assert head is schedule
    assert seconds == 10.0
