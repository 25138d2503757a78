"""Warming up until steady, and what asking again gains."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

from engines.base import Hits
from harness.load.closed_loop import closed_loop
from harness.load.open_loop import open_loop
from harness.load.repeats import BLOCK, gain_within, repeat_gain
from harness.load.schedules import constant
from harness.load.warmup import answer_rate, is_steady, warm_up
from harness.results.samples import OK, Samples
from tests.unit.load.load_engines import Calling, echo, numbered

WORKLOAD = numbered(200)


@pytest.mark.parametrize(
    ("rates", "steady"),
    [
        ([], False),
        ([100, 101], False),
        ([100, 101, 99], True),
        ([10, 50, 100, 101, 99], True),
        ([100, 120, 140], False),
        ([100, 120, 140, 160, 180, 200], False),
        ([140, 100, 120, 110, 141, 100], True),  # noisy, but rising no longer
        ([200, 150, 100], False),
        ([0, 0, 0], False),
        ([100, 0, 100], False),
    ],
)
def test_steady_is_what_has_stopped_rising(rates: list[float], steady: bool) -> None:
    assert is_steady(rates) is steady


class Warming(Calling):
    """Answers faster and faster until it has answered `cold` queries."""

    def __init__(self, cold: int) -> None:
        super().__init__(echo)
        self.cold = cold

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Any:
        left = max(0, self.cold - len(self.asked)) / max(1, self.cold)
        time.sleep(0.001 + 0.01 * left)
        return super().query(vector, k, where)


def warmed(engine: Any, *, least_s: float = 0.0, most_s: float = 10.0) -> Any:
    def drive(seconds: float, number: int) -> Samples:
        return closed_loop(engine, WORKLOAD, clients=2, duration_s=seconds, seed=number)

    return warm_up(drive, least_s=least_s, most_s=most_s, slice_s=0.1, tolerance=0.1)


def test_a_cold_engine_is_warmed_longer_than_a_warm_one() -> None:
    """Service times are made up, so that a busy machine cannot make a cold engine look steady."""

    def warmed_up(cold: int) -> tuple[Any, int]:
        asked = 0

        def drive(_seconds: float, _number: int) -> Samples:
            nonlocal asked
            each = np.arange(asked, asked + 10)
            asked += 10
            done_ns = 1_000_000 + (10_000_000 * np.maximum(0, cold - each) / max(1, cold)).astype(np.int64)
            zeros = np.zeros(10, np.int64)
            return Samples(zeros, zeros, done_ns, each, zeros, np.full(10, OK), zeros[:, None], zeros)

        return warm_up(drive, least_s=0, most_s=60, slice_s=0.1, tolerance=0.1), asked

    (slow, asked_cold), (fast, asked_warm) = warmed_up(150), warmed_up(0)
    assert slow.steady and fast.steady
    assert asked_cold > 150
    assert asked_warm < 50
    assert slow.rates[-1] > 5 * slow.rates[0]


def test_the_warm_up_has_a_least_and_a_greatest_time() -> None:
    assert warmed(Warming(0), least_s=0.5).seconds >= 0.5
    bounded = warmed(Warming(100_000), most_s=0.12)
    assert not bounded.steady
    assert bounded.seconds >= 0.12
    assert len(bounded.rates) <= 3


def test_an_engine_that_only_fails_is_never_steady() -> None:
    def fail(number: int) -> Hits:
        raise RuntimeError("no")

    assert not warmed(Calling(fail), most_s=0.3).steady


def test_how_fast_an_engine_is_shows_in_an_open_loop_too() -> None:
    def answer(number: int) -> Hits:
        time.sleep(0.002)
        return echo(number)

    samples = open_loop(Calling(answer), WORKLOAD, constant(100, 0.2), clients=1)
    assert 100 < answer_rate(samples) < 500


class Remembering(Calling):
    """Takes 1 ms for a query unless it is the one of the last hundred."""

    def __init__(self) -> None:
        super().__init__(echo)

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Any:
        number = int(vector[0])
        if number not in self.asked[-100:]:
            time.sleep(0.001)
        return super().query(vector, k, where)


class Forgetful(Calling):
    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Any:
        time.sleep(0.001)
        return super().query(vector, k, where)


def test_what_asking_again_gains_tells_a_cache_of_answers_from_none() -> None:
    engine = Remembering()
    gain, asked = repeat_gain(engine, WORKLOAD, limit_s=60)
    assert gain is not None and gain > 10
    assert asked == len(WORKLOAD.queries)
    rounds = np.reshape(engine.asked[: 3 * BLOCK], (3, BLOCK))
    assert (rounds == rounds[0]).all()
    assert len(set(engine.asked)) == len(WORKLOAD.queries)
    none, _ = repeat_gain(Forgetful(echo), WORKLOAD, limit_s=60)
    assert none is not None and 0.5 < none < 2


class Choosy(Calling):
    """Takes 1 ms for a query that was not asked at least twice before."""

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Any:
        if self.asked.count(int(vector[0])) < 2:
            time.sleep(0.001)
        return super().query(vector, k, where)


def test_a_cache_that_takes_in_only_what_was_asked_twice_is_noticed() -> None:
    gain, _ = repeat_gain(Choosy(echo), WORKLOAD, limit_s=60)
    assert gain is not None and gain > 5


def test_what_asking_again_gains_shows_within_a_window_too() -> None:
    gained = gain_within(closed_loop(Choosy(echo), numbered(40), duration_s=30, max_queries=160))
    assert gained is not None and gained > 5
    none = gain_within(closed_loop(Forgetful(echo), numbered(40), duration_s=30, max_queries=160))
    assert none is not None and 0.5 < none < 2
    assert gain_within(closed_loop(Forgetful(echo), numbered(40), duration_s=30, max_queries=40)) is None


def test_errors_while_warming_up_are_counted() -> None:
    def answer(number: int) -> Hits:
        if number == 3:
            raise RuntimeError("cold")
        return echo(number)

    def drive(seconds: float, seed: int) -> Samples:
        return closed_loop(Calling(answer), numbered(10), duration_s=30, max_queries=10, seed=seed)

    warm = warm_up(drive, least_s=0.01, most_s=0.02)
    assert warm.errors["RuntimeError: cold"] == len(warm.rates) > 0


def test_what_asking_again_gains_stops_in_time_after_three_blocks() -> None:
    _, asked = repeat_gain(Forgetful(echo), WORKLOAD, limit_s=0.001)
    assert asked == 3 * BLOCK  # the least that a median means anything of
    assert repeat_gain(Forgetful(echo), numbered(BLOCK - 1)) == (None, 0)
