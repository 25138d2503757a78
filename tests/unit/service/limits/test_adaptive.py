"""The adaptive limit, by rules and in a simulation of a machine that slows down under too much at once."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from service.limits.adaptive import AdaptiveLimit, LimitOptions
from service.limits.deadline import Deadline

CORES, WORK_S, STEP_S = 4, 0.01, 0.001
CAPACITY = CORES / WORK_S  # requests a second


@dataclass
class Outcome:
    """What a simulated load came to."""

    good: int = 0
    late: int = 0
    shed: int = 0
    waits_s: list[float] = field(default_factory=list)  # of what was answered, from its arrival
    empty_after_s: float = 0.0


def simulated(limit: AdaptiveLimit, rate: float, load_s: float, deadline_s: float) -> Outcome:
    """Requests at `rate` to a machine that shares its cores among all that run, and loses time to each one too many.

    What is shed is gone; what has begun is worked on, late or not, until a second after the load.
    """
    arrivals = np.random.default_rng(1).poisson(rate * STEP_S, round(load_s / STEP_S))
    arrived, left, outcome, step = {}, {}, Outcome(), 0
    while step < len(arrivals) + 1 / STEP_S:
        now = step * STEP_S
        for _ in range(arrivals[step] if step < len(arrivals) else 0):
            ticket, verdict = limit.arrive(now, now + deadline_s)
            arrived[ticket] = now
            if verdict == "begin":
                left[ticket] = WORK_S
            outcome.shed += verdict == "shed"
        due = limit.due(now)
        left.update(dict.fromkeys(due.begin, WORK_S))
        outcome.shed += len(due.shed)
        speed = min(1.0, CORES / max(1, len(left))) / (1 + 0.02 * max(0, len(left) - CORES))
        for ticket in list(left):
            left[ticket] -= STEP_S * speed
            if left[ticket] <= 0:
                del left[ticket]
                limit.finish(ticket, now + STEP_S)
                took = now + STEP_S - arrived[ticket]
                outcome.waits_s.append(took)
                outcome.good += took <= deadline_s
                outcome.late += took > deadline_s
        step += 1
        if step > len(arrivals) and not limit.waiting and not outcome.empty_after_s:
            outcome.empty_after_s = (step - len(arrivals)) * STEP_S
    return outcome


ADAPTIVE = LimitOptions(target_s=0.05, patience_s=0.1, queue=64)
BOUNDLESS = LimitOptions(first=10**6, least=10**6, most=10**6, queue=10**6, patience_s=10**6)


def test_three_times_the_capacity_leaves_most_of_it_to_answers_in_time() -> None:
    outcome = simulated(AdaptiveLimit(ADAPTIVE), 3 * CAPACITY, 8, 0.25)
    assert outcome.good > 0.8 * CAPACITY * 8
    assert np.quantile(outcome.waits_s, 0.99) <= 0.25
    assert outcome.empty_after_s < 1
    assert outcome.shed > CAPACITY * 8  # of 3 in 4 x 8 s some 2 have to go


def test_the_simulated_machine_collapses_without_a_limit() -> None:
    outcome = simulated(AdaptiveLimit(BOUNDLESS), 3 * CAPACITY, 1, 0.25)
    assert outcome.shed == 0
    assert outcome.good < 0.3 * CAPACITY


def test_below_capacity_nothing_is_shed() -> None:
    outcome = simulated(AdaptiveLimit(ADAPTIVE), 0.5 * CAPACITY, 4, 0.25)
    assert (outcome.shed, outcome.late) == (0, 0)


def test_a_limit_that_starts_too_high_comes_down_and_one_too_low_goes_up() -> None:
    high, low = (AdaptiveLimit(LimitOptions(first=first, target_s=0.05)) for first in (200, 1))
    for limit in (high, low):
        simulated(limit, 3 * CAPACITY, 8, 0.25)
    assert 2 <= low.limit <= 50
    assert 2 <= high.limit <= 50


def test_a_few_slow_requests_are_no_congestion_and_many_are() -> None:
    def after(slow: int) -> int:
        limit = AdaptiveLimit(LimitOptions(first=10, target_s=0.1, queue=10))
        tickets = [limit.arrive(0.0)[0] for _ in range(11)]
        for number, ticket in enumerate(tickets[:10]):
            limit.finish(ticket, 1.0 if number < slow else 0.05)
        return limit.limit

    assert (after(0), after(1), after(2)) == (11, 11, 7)


def test_what_began_before_the_limit_shrank_does_not_shrink_it_again() -> None:
    limit = AdaptiveLimit(LimitOptions(first=20, target_s=0.1))
    tickets = [limit.arrive(0.0)[0] for _ in range(40)]
    for ticket in tickets[:20]:
        limit.finish(ticket, 1.0)
    assert limit.limit == 14
    # Those that waited all this time are shed, and 14 newcomers that are slow too count anew.
    assert len(limit.due(1.0).shed) == 20
    began = [limit.arrive(1.0)[0] for _ in range(14)]
    for ticket in began:
        limit.finish(ticket, 2.0)
    assert limit.limit == 9


def test_a_limit_that_is_not_reached_does_not_grow() -> None:
    limit = AdaptiveLimit(LimitOptions(first=4))
    for second in range(100):
        limit.finish(limit.arrive(second)[0], second + 0.01)
    assert limit.limit == 4


def test_the_queue_is_short_in_length_and_in_time() -> None:
    limit = AdaptiveLimit(LimitOptions(first=1, queue=2, patience_s=0.1))
    (first, _), (second, _), (third, _) = (limit.arrive(0.0) for _ in range(3))
    assert limit.arrive(0.0)[1] == "shed"
    limit.finish(first, 0.05)
    assert limit.due(0.05).begin == (second,)
    assert limit.due(0.1).shed == (third,)


def test_nobody_joins_a_queue_that_hardly_moves() -> None:
    limit = AdaptiveLimit(LimitOptions(first=1, queue=64, patience_s=0.1))
    first, _ = limit.arrive(0.0)
    second, _ = limit.arrive(0.0)
    assert limit.arrive(0.05)[1] == "wait"
    assert limit.full(0.051)
    assert limit.arrive(0.051)[1] == "shed"
    limit.finish(first, 0.06)
    assert limit.due(0.06).begin == (second,)
    # Who waits longest came at 0.05 now.
    assert not limit.full(0.09)
    assert limit.arrive(0.09)[1] == "wait"


def test_nobody_waits_beyond_its_own_deadline() -> None:
    limit = AdaptiveLimit(LimitOptions(first=1, patience_s=10.0))
    limit.arrive(0.0)
    ticket, _ = limit.arrive(0.0, until_s=0.5)
    assert limit.due(0.4).shed == ()
    assert limit.due(0.5).shed == (ticket,)


def test_newcomers_do_not_overtake_those_that_wait() -> None:
    limit = AdaptiveLimit(LimitOptions(first=1))
    first, _ = limit.arrive(0.0)
    limit.arrive(0.0)
    limit.finish(first, 0.01)
    assert limit.arrive(0.01)[1] == "wait"


@pytest.mark.parametrize(
    ("now_s", "left_s", "passed"), [(0.0, 2.0, False), (2.0, 0.0, True), (3.0, 0.0, True)]
)
def test_a_deadline_has_never_less_than_nothing_left(now_s: float, left_s: float, passed: bool) -> None:
    deadline = Deadline.after(0.0, 2.0)
    assert (deadline.left_s(now_s), deadline.passed(now_s)) == (left_s, passed)


def test_a_part_of_a_deadline_is_one_of_what_is_left() -> None:
    assert Deadline(10.0).part(6.0, 0.75) == Deadline(9.0)
    assert Deadline(10.0).part(12.0, 0.75) == Deadline(12.0)
