"""The breaker, by rules and in a simulation of an engine that dies and comes back."""

from __future__ import annotations

import itertools

from service.limits.breaker import Breaker, BreakerOptions

OPTIONS = BreakerOptions(window=10, share=0.5, failures=4, pause_s=0.25, longest_pause_s=2.0)


def opened(now_s: float = 0.0) -> Breaker:
    breaker = Breaker(OPTIONS)
    for _ in range(4):
        leave = breaker.ask(now_s)
        assert leave is not None
        breaker.failed(leave, now_s)
    return breaker


def test_an_engine_that_dies_is_left_alone_and_found_soon_after_its_return() -> None:
    """100 requests a second for 60 s; the engine is away from second 10 to second 40."""
    breaker = Breaker(BreakerOptions())
    asked_while_away, first_answer_s, served = 0, None, 0
    for now in (tick / 100 for tick in range(6000)):
        leave = breaker.ask(now)
        if leave is None:
            continue
        if 10 <= now < 40:
            asked_while_away += 1
            breaker.failed(leave, now)
        else:
            breaker.succeeded(leave)
            served += 1
            if now >= 40 and first_answer_s is None:
                first_answer_s = now
    assert asked_while_away < 40  # of 3,000
    assert first_answer_s is not None
    assert first_answer_s - 40 <= 2
    assert served > 100 * 30 - 200 - 5
    assert breaker.state == "closed"


def test_without_a_breaker_every_request_would_have_met_the_dead_engine() -> None:
    never = Breaker(BreakerOptions(window=20, share=2.0))  # no share of failures is above 1
    for now in range(100):
        leave = never.ask(now)
        assert leave is not None
        never.failed(leave, now)


def test_some_failures_among_many_answers_do_not_open_it() -> None:
    breaker = Breaker(OPTIONS)
    for failed in itertools.islice(itertools.cycle([True, False, False]), 60):
        leave = breaker.ask(0.0)
        assert leave is not None
        if failed:
            breaker.failed(leave, 0.0)
        else:
            breaker.succeeded(leave)
    assert breaker.state == "closed"


def test_one_call_tries_and_the_others_keep_away() -> None:
    breaker = opened()
    assert breaker.ask(0.24) is None
    assert breaker.ask(0.25) is not None
    assert breaker.ask(0.25) is None


def test_pauses_double_up_to_the_longest_and_start_anew_after_a_success() -> None:
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(6):
        began = now
        while (leave := breaker.ask(now)) is None:
            now += 0.125
        pauses.append(now - began)
        breaker.failed(leave, now)
    assert pauses == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]
    now += 2
    leave = breaker.ask(now)
    assert leave is not None
    breaker.succeeded(leave)
    for _ in range(4):
        leave = breaker.ask(now)
        assert leave is not None
        breaker.failed(leave, now)
    assert breaker.ask(now + 0.24) is None
    assert breaker.ask(now + 0.25) is not None


def test_a_call_that_began_before_it_opened_changes_nothing_afterwards() -> None:
    breaker = Breaker(OPTIONS)
    early = breaker.ask(0.0)
    assert early is not None
    for _ in range(4):
        leave = breaker.ask(0.0)
        assert leave is not None
        breaker.failed(leave, 0.0)
    breaker.succeeded(early)
    assert breaker.state == "open"
    tried = breaker.ask(1.0)
    breaker.failed(early, 1.0)  # late news of the dead engine
    assert breaker.state == "half-open"
    assert tried is not None
    breaker.succeeded(tried)
    assert breaker.state == "closed"


def test_a_try_that_was_given_up_leaves_it_to_the_next() -> None:
    breaker = opened()
    leave = breaker.ask(0.25)
    assert leave is not None
    breaker.given_up(leave)
    again = breaker.ask(0.25)
    assert again is not None
    breaker.succeeded(again)
    breaker.given_up(again)
    assert breaker.state == "closed"
    broken = opened()
    leave = broken.ask(0.25)
    assert leave is not None
    broken.failed(leave, 0.25)
    broken.given_up(leave)
    assert broken.ask(0.7) is None  # the longer pause holds
