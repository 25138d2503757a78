from __future__ import annotations

import gc
import os
import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from engines.base import Hits
from harness.load.clients import wait_for_left_behind
from harness.load.open_loop import open_loop
from harness.load.schedules import constant, poisson
from harness.results.samples import ERROR, OK, TIMEOUT
from harness.results.summary import clients_busy_share
from tests.unit.load.load_engines import Calling, K, Stalling, Stuck, echo, interrupting, numbered

WORKLOAD = numbered(20)
SCHEDULE = poisson(2000, 0.05, np.random.default_rng(0))
AT_ONCE = np.zeros(5, dtype=np.int64)


@pytest.mark.parametrize("clients", [1, 8])
def test_every_scheduled_request_yields_exactly_one_sample(clients: int):
    engine = Calling(echo)
    samples = open_loop(engine, WORKLOAD, SCHEDULE, clients=clients)
    assert len(samples) == len(engine.asked) == len(SCHEDULE)
    assert (samples.status == OK).all()
    assert np.array_equal(samples.scheduled_ns - samples.scheduled_ns[0], SCHEDULE - SCHEDULE[0])
    assert sorted(engine.asked) == sorted(samples.query)
    assert set(samples.client) <= set(range(clients))


def test_no_request_leaves_before_it_is_due():
    samples = open_loop(Calling(echo), WORKLOAD, SCHEDULE, clients=4)
    assert (samples.lateness_ns >= 0).all()
    assert (samples.done_ns >= samples.sent_ns).all()


def test_hits_survive_and_queries_are_visited_evenly_in_a_seeded_order():
    samples = open_loop(Calling(echo), WORKLOAD, constant(2000, 0.02), clients=4, seed=3)
    assert len(samples) == 40
    assert sorted(samples.query[:20]) == sorted(samples.query[20:]) == list(range(20))
    for query, ids, length in zip(samples.query, samples.ids, samples.lengths, strict=True):
        assert ids[:length].tolist() == list(echo(query).ids)
        assert (ids[length:] == -1).all() and len(ids) == K
    again = open_loop(Calling(echo), WORKLOAD, constant(2000, 0.02), clients=2, seed=3)
    other = open_loop(Calling(echo), WORKLOAD, constant(2000, 0.02), clients=2, seed=4)
    assert np.array_equal(again.query, samples.query)
    assert not np.array_equal(other.query, samples.query)


@pytest.mark.parametrize("clients", [1, 16])
def test_latency_counts_from_the_schedule_through_a_stall(clients: int):
    """One request stalls an engine that serves one at a time: all that fall due meanwhile wait for its end."""
    stall_s = 0.1
    schedule_ns = constant(200, 0.2)
    samples = open_loop(Stalling(stall_s), WORKLOAD, schedule_ns, clients=clients)
    assert len(samples) == len(schedule_ns)
    stall_ends_ns = samples.sent_ns.min() + int(stall_s * 1e9)
    assert (samples.done_ns >= stall_ends_ns).all()
    assert (samples.latency_ns >= stall_ends_ns - samples.scheduled_ns).all()
    # A 20th of the stall passes between two requests: their latencies fall by as much, not to zero at once.
    waiting = schedule_ns < stall_s / 2 * 1e9
    assert (samples.latency_ns[waiting] >= stall_s / 2 * 1e9).all()
    if clients == 1:  # timed from the send, all but the first would look fast
        assert np.array_equal(
            samples.sent_ns[1:] >= samples.done_ns[0], np.ones(len(samples) - 1, dtype=bool)
        )


def test_several_requests_are_in_the_engine_at_once():
    """Each waits until all five are in; one client less and none would be answered."""
    meeting = threading.Barrier(5, timeout=30)
    engine = Calling(lambda number: meeting.wait() >= 0 and echo(number))
    samples = open_loop(engine, WORKLOAD, AT_ONCE, clients=5)
    assert (samples.status == OK).all()
    assert sorted(samples.client) == [0, 1, 2, 3, 4]


def test_errors_are_kept():
    def fail(number: int) -> Hits:
        if number < 10:
            raise KeyError(number)
        return echo(number)

    samples = open_loop(Calling(fail), WORKLOAD, constant(2000, 0.02), clients=3)
    assert np.array_equal(samples.status == ERROR, samples.query < 10)
    assert samples.errors == {f"KeyError: {number}": 2 for number in range(10)}


def test_slow_requests_are_timeouts_and_keep_time_and_hits():
    engine = Stalling(0.05)
    samples = open_loop(engine, WORKLOAD, AT_ONCE, clients=2, timeout_s=0.02)
    assert (samples.status == TIMEOUT).all()
    assert (samples.latency_ns >= 0.05e9).all()
    assert np.array_equal(samples.lengths, samples.query % (K + 1))


def test_what_is_never_sent_or_answered_is_given_up_on_but_not_dropped():
    engine = Stuck()
    try:
        samples = open_loop(engine, WORKLOAD, AT_ONCE + 1000, clients=2, drain_s=0.03, timeout_s=0.02)
        assert len(samples) == 5
        assert (samples.status == TIMEOUT).all()
        assert len(engine.asked) == 2
        limit_ns = samples.scheduled_ns + 30_000_000
        unsent = samples.client == -1
        assert unsent.sum() == 3
        assert np.array_equal(samples.sent_ns[unsent], limit_ns[unsent])
        assert np.array_equal(samples.done_ns[unsent], limit_ns[unsent])
        assert (samples.sent_ns[~unsent] < limit_ns[~unsent]).all()
        assert np.array_equal(samples.done_ns[~unsent], limit_ns[~unsent] + 20_000_000)
        assert (samples.lengths == 0).all() and (samples.ids == -1).all()
    finally:
        engine.released.set()


def test_requests_left_in_the_engine_are_counted_and_can_be_waited_for():
    """What is given up on goes on in the engine: the next load is told, and may wait, but not for ever."""
    engine = Stuck()
    samples = open_loop(engine, WORKLOAD, AT_ONCE, clients=2, drain_s=0.03, timeout_s=0.02)
    assert samples.abandoned == 2
    assert wait_for_left_behind(0.05) == 2
    engine.released.set()
    assert wait_for_left_behind(30) == 0
    after = open_loop(Calling(echo), WORKLOAD, AT_ONCE, clients=2)
    assert after.abandoned == 0
    assert wait_for_left_behind(0) == 0


def test_a_late_answer_changes_nothing_in_what_was_given_up_on():
    engine = Stuck()
    samples = open_loop(engine, WORKLOAD, AT_ONCE, clients=2, drain_s=0.03, timeout_s=0.02)
    kept = samples.status.copy(), samples.done_ns.copy(), samples.ids.copy()
    engine.released.set()
    assert wait_for_left_behind(30) == 0
    for now, before in zip((samples.status, samples.done_ns, samples.ids), kept, strict=True):
        assert np.array_equal(now, before)


def test_a_wait_for_the_only_client_is_the_engines_and_not_our_lateness():
    """One client and requests of 20 ms that are due every 10 ms: each has to wait for the one before."""

    def slow(number: int) -> Hits:
        time.sleep(0.02)
        return echo(number)

    samples = open_loop(Calling(slow), WORKLOAD, constant(100, 0.1), clients=1, drain_s=60)
    waited_ns = samples.sent_ns - samples.scheduled_ns
    assert (waited_ns[1:] >= 9_000_000 * np.arange(1, 10)).all()
    assert samples.free_ns is not None
    assert (samples.free_ns[1:] == samples.done_ns[:-1]).all()
    assert (samples.free_ns[1:] > samples.scheduled_ns[1:]).all()
    assert np.median(samples.lateness_ns) < 0.2 * np.median(waited_ns)
    assert clients_busy_share(samples) == 0.9


def test_what_was_never_sent_found_every_client_busy():
    engine = Stuck()
    try:
        samples = open_loop(engine, WORKLOAD, AT_ONCE, clients=2, drain_s=0.03, timeout_s=0.02)
        unsent = samples.client == -1
        assert (samples.lateness_ns[unsent] == 0).all()
        assert clients_busy_share(samples) == 3 / 5
    finally:
        engine.released.set()


def test_the_warm_up_asks_queries_of_its_own():
    engine = Calling(echo)
    warmup = replace(WORKLOAD, queries=WORKLOAD.queries + 100)
    samples = open_loop(
        engine, WORKLOAD, constant(1000, 0.02), clients=4, warmup=warmup, warmup_s=0.015, seed=1
    )
    assert sorted(samples.query) == list(range(20))
    assert sorted(number for number in engine.asked if number < 100) == list(range(20))
    assert len(set(engine.asked)) == 35


def test_the_warm_up_without_queries_of_its_own_begins_the_pass():
    engine = Calling(echo)
    open_loop(engine, WORKLOAD, constant(1000, 0.01), clients=1, warmup_s=0.01, seed=1)
    assert sorted(engine.asked) == list(range(20))


def test_answers_are_kept_within_bounds_and_their_timings_all(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("harness.load.replay.base.KEPT_HITS", 100 * K)
    samples = open_loop(Calling(echo), WORKLOAD, constant(10_000, 0.2), clients=4)
    assert len(samples) == len(samples.lengths) == 2000
    assert samples.share == 0.05
    assert 50 < len(samples.ids) < 160
    for query, ids in zip(samples.query[samples.kept_rows], samples.ids, strict=True):
        assert ids[ids >= 0].tolist() == list(echo(query).ids)


def test_answers_that_come_before_the_drain_limit_count():
    """One client, requests of 10 ms each all due at once: the last waits for the others, and is answered."""

    def slow(number: int) -> Hits:
        time.sleep(0.01)
        return echo(number)

    samples = open_loop(Calling(slow), WORKLOAD, AT_ONCE, clients=1, drain_s=60)
    assert (samples.status == OK).all()
    assert (np.sort(samples.latency_ns) >= np.arange(1, 6) * 10_000_000).all()


def test_the_warm_up_plays_the_head_of_the_schedule_first():
    engine = Calling(echo)
    schedule_ns = constant(1000, 0.1)
    before_ns = time.perf_counter_ns()
    samples = open_loop(engine, WORKLOAD, schedule_ns, clients=4, warmup_s=0.05, seed=1)
    assert len(samples) == 100
    assert len(engine.asked) == 150
    assert samples.scheduled_ns[0] >= before_ns + 50_000_000
    assert np.array_equal(samples.scheduled_ns - samples.scheduled_ns[0], schedule_ns)


def test_an_empty_schedule_yields_no_samples():
    samples = open_loop(Calling(echo), WORKLOAD, SCHEDULE[:0], clients=2)
    assert len(samples) == 0 and samples.ids.shape == (0, K)


def test_no_garbage_is_collected_in_the_window():
    states = set()
    engine = Calling(lambda number: states.add(gc.isenabled()) or echo(number))
    open_loop(engine, WORKLOAD, AT_ONCE, clients=2)
    assert states == {False}
    assert gc.isenabled()


def test_an_interruption_stops_every_client():
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        open_loop(interrupting(os.getpid()), WORKLOAD, constant(100, 300), clients=4)
    while threading.active_count() > before:
        time.sleep(0.001)
    assert gc.isenabled()


def test_a_failing_start_signal_ends_the_clients():
    def begin() -> int:
        raise RuntimeError("not ready")

    before, engine = threading.active_count(), Calling(echo)
    with pytest.raises(RuntimeError, match="not ready"):
        open_loop(engine, WORKLOAD, AT_ONCE, clients=4, begin=begin)
    while threading.active_count() > before:
        time.sleep(0.001)
    assert engine.asked == []
