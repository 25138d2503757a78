from __future__ import annotations

import gc
import os
import threading
import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engines.base import Hits
from harness.load.closed_loop import closed_loop
from harness.results.samples import ERROR, OK, TIMEOUT
from tests.unit.load.load_engines import Calling, K, echo, interrupting, numbered

WORKLOAD = numbered(20)


def refuse_odd(number: int) -> Hits:
    if number % 2:
        raise ValueError(f"query {number} is odd")
    return echo(number)


def test_every_query_gets_its_own_hits():
    samples = closed_loop(Calling(echo), WORKLOAD, duration_s=10, max_queries=45)
    assert len(samples) == 45
    assert (samples.status == OK).all() and samples.errors == {}
    assert samples.ids.shape == (45, K)
    for query, ids, length in zip(samples.query, samples.ids, samples.lengths, strict=True):
        expected = list(echo(query).ids)
        assert length == len(expected)
        assert ids.tolist() == expected + [-1] * (K - len(expected))


def test_times_are_in_order_and_a_request_is_due_when_it_is_sent():
    samples = closed_loop(Calling(echo), WORKLOAD, duration_s=10, max_queries=50)
    assert np.array_equal(samples.scheduled_ns, samples.sent_ns)
    assert (samples.done_ns >= samples.sent_ns).all()
    assert (samples.sent_ns[1:] >= samples.done_ns[:-1]).all()


def pause(number: int) -> Hits:
    time.sleep(0.0005)
    return echo(number)


@pytest.mark.parametrize("clients", [1, 3])
def test_every_query_is_asked_once_before_one_is_asked_again(clients: int):
    samples = closed_loop(Calling(pause), WORKLOAD, clients=clients, duration_s=10, max_queries=60, seed=7)
    asked = np.bincount(samples.query, minlength=20)
    assert (asked == 3).all()
    for first in (0, 20, 40):  # but for requests of other clients that overtook
        assert len(set(samples.query[first : first + 20])) > 20 - clients
    again = closed_loop(Calling(echo), WORKLOAD, duration_s=10, max_queries=20, seed=7)
    other = closed_loop(Calling(echo), WORKLOAD, duration_s=10, max_queries=20, seed=8)
    assert set(again.query) == set(other.query) == set(range(20))
    assert tuple(again.query) != tuple(other.query)
    if clients == 1:
        assert tuple(again.query) == tuple(samples.query[:20])


def test_processes_with_the_same_seed_deal_the_queries_out():
    parts = [
        closed_loop(Calling(echo), WORKLOAD, duration_s=10, max_queries=7, part=(number, 3)).query
        for number in range(3)
    ]
    assert [len(set(part)) for part in parts] == [7, 7, 6]
    assert sorted(np.unique(np.concatenate(parts))) == list(range(20))


@pytest.mark.parametrize("limit", [10, 2, 0])
def test_max_queries_counts_all_clients(limit: int):
    samples = closed_loop(Calling(echo), WORKLOAD, clients=3, duration_s=10, max_queries=limit)
    assert len(samples) == limit
    assert samples.ids.shape == (limit, K)


def test_a_client_that_hangs_does_not_keep_its_share_from_the_others():
    """Two clients, 40 queries, one of which takes as long as 30 others: the other client goes on meanwhile."""
    slow, others = threading.Event(), threading.Semaphore(0)

    def answer(number: int) -> Hits:
        if number == 3 and not slow.is_set():
            slow.set()
            for _ in range(30):
                others.acquire(timeout=5)
        others.release()
        return echo(number)

    samples = closed_loop(Calling(answer), WORKLOAD, clients=2, duration_s=30, max_queries=40)
    assert np.bincount(samples.client).max() > 25
    assert samples.latency_ns.max() < 5e9


def test_the_duration_ends_the_window():
    samples = closed_loop(Calling(echo), WORKLOAD, clients=2, duration_s=0.05)
    assert len(samples) > 2
    for client in range(2):
        own = samples.done_ns[samples.client == client]
        assert own[-1] - samples.sent_ns.min() >= 0.04e9  # but for the client's phase
        assert (own[:-1] - samples.sent_ns.min() < 0.05e9).all()


def test_the_warm_up_loads_the_engine_but_is_not_returned():
    engine = Calling(echo)
    before_ns = time.perf_counter_ns()
    samples = closed_loop(engine, WORKLOAD, duration_s=10, max_queries=5, warmup_s=0.2)
    assert len(samples) == 5
    assert len(engine.asked) > 5
    assert samples.sent_ns.min() >= before_ns + 0.2e9


@pytest.mark.parametrize("clients", [1, 2])
def test_the_warm_up_asks_queries_of_its_own(clients: int):
    warmup = replace(WORKLOAD, queries=WORKLOAD.queries + 100)
    engine = Calling(echo)
    samples = closed_loop(
        engine, WORKLOAD, clients=clients, duration_s=10, max_queries=20, warmup=warmup, warmup_s=0.05
    )
    assert set(samples.query) == set(range(20))
    assert sorted(number for number in engine.asked if number < 100) == list(range(20))
    assert len(engine.asked) > 20
    assert min(engine.asked[: len(engine.asked) - 20 - clients]) >= 100


def test_errors_are_kept_with_their_text_and_never_stop_the_run():
    samples = closed_loop(Calling(refuse_odd), WORKLOAD, duration_s=10, max_queries=40)
    odd = samples.query % 2 == 1
    assert len(samples) == 40
    assert np.array_equal(samples.status == ERROR, odd)
    assert samples.errors == {f"ValueError: query {n} is odd": 2 for n in range(1, 20, 2)}
    assert (samples.lengths[odd] == 0).all()
    assert (samples.done_ns[odd] >= samples.sent_ns[odd]).all()


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (None, "AttributeError"),
        (Hits(None, None), "TypeError: object of type 'NoneType' has no len()"),  # type: ignore[arg-type]
        (Hits(["a"], [1.0]), "unreadable hits: TypeError"),  # type: ignore[list-item]
        (Hits([1.5], [1.0]), "unreadable hits: TypeError"),  # type: ignore[list-item]
        (Hits([2**70], [1.0]), "unreadable hits: OverflowError"),
        (Hits(np.array([0.5]), [1.0]), "unreadable hits: TypeError"),  # type: ignore[arg-type]
    ],
)
def test_an_unreadable_answer_is_an_error_of_that_request_only(answer: Any, complaint: str):
    engine = Calling(lambda number: answer if number == 3 else echo(number))
    samples = closed_loop(engine, WORKLOAD, duration_s=10, max_queries=20)
    assert np.array_equal(samples.status == ERROR, samples.query == 3)
    assert [complaint in text for text in samples.errors] == [True]
    assert (samples.ids[samples.query == 7] == echo(7).ids).all()


def test_numpy_hits_and_hits_beyond_k():
    engine = Calling(lambda number: Hits(np.arange(number, dtype=np.int64), np.zeros(number)))
    samples = closed_loop(engine, WORKLOAD, duration_s=10, max_queries=20)
    assert np.array_equal(samples.lengths, samples.query)
    assert samples.ids[samples.query == 19].tolist() == [[0, 1, 2]]
    assert samples.ids[samples.query == 1].tolist() == [[0, -1, -1]]


def test_slow_requests_are_timeouts_and_keep_time_and_hits():
    def slow(number: int) -> Hits:
        time.sleep(0.02 if number == 7 else 0)
        return echo(number)

    samples = closed_loop(Calling(slow), WORKLOAD, duration_s=60, max_queries=20, timeout_s=0.02)
    late = samples.query == 7
    assert (samples.status[late] == TIMEOUT).all()
    assert (samples.latency_ns[late] >= 0.02e9).all()
    assert (samples.ids[late] == echo(7).ids).all()
    assert np.array_equal(samples.status == TIMEOUT, samples.latency_ns > 0.02e9)


def test_a_failed_slow_request_is_an_error():
    def fail(number: int) -> Hits:
        time.sleep(0.002)
        raise OSError

    samples = closed_loop(Calling(fail), WORKLOAD, duration_s=10, max_queries=2, timeout_s=0.001)
    assert (samples.status == ERROR).all() and samples.errors == {"OSError": 2}


def test_the_queries_cannot_be_changed():
    class Spoiling(Calling):
        def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Any:
            vector[0] = -1

    before = WORKLOAD.queries.copy()
    samples = closed_loop(Spoiling(echo), WORKLOAD, duration_s=10, max_queries=5)
    assert (samples.status == ERROR).all()
    assert np.array_equal(WORKLOAD.queries, before)


@pytest.mark.parametrize("clients", [1, 4])
def test_no_garbage_is_collected_in_the_window(clients: int):
    states = set()
    closed_loop(
        Calling(lambda number: states.add(gc.isenabled()) or echo(number)),
        WORKLOAD,
        clients=clients,
        duration_s=10,
        max_queries=20,
    )
    assert states == {False}
    assert gc.isenabled()


def test_garbage_collection_stays_off_where_it_was():
    gc.disable()
    try:
        closed_loop(Calling(echo), WORKLOAD, duration_s=10, max_queries=1)
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize("clients", [1, 3])
def test_a_failing_start_signal_ends_the_clients_and_restores_the_interpreter(clients: int):
    def begin() -> int:
        raise RuntimeError("not ready")

    before = threading.active_count()
    with pytest.raises(RuntimeError, match="not ready"):
        closed_loop(Calling(echo), WORKLOAD, clients=clients, duration_s=60, begin=begin)
    _wait_for_threads(before)
    assert gc.isenabled()


@pytest.mark.parametrize("clients", [1, 3])
def test_an_interruption_stops_every_client(clients: int):
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        closed_loop(interrupting(os.getpid()), WORKLOAD, clients=clients, duration_s=300)
    _wait_for_threads(before)
    assert gc.isenabled()


def _wait_for_threads(count: int) -> None:
    while threading.active_count() > count:
        time.sleep(0.001)
