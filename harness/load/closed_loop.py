"""Closed loop: every client sends its next request when the last one is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice
from threading import Event, Thread
from time import perf_counter_ns
from typing import Any

import numpy as np

from engines.base import Engine
from harness.data.queries.workload import Workload
from harness.load.answers import read_column
from harness.load.clients import StartSignal, describe, quiet_interpreter, wait_until
from harness.load.operations import Call, Operations, Requests, bind
from harness.load.recording import Recording
from harness.results.samples import Samples, concatenate

_MAX_PHASE_S = 0.01


Pending = Iterator[tuple[int, Call]]  # shared by all clients of a process: each takes the next


class Deadline:
    """A time on the perf_counter_ns clock that is set later, and may be moved into the past to stop clients."""

    __slots__ = ("ns",)

    def __init__(self) -> None:
        self.ns = 0


def closed_loop(
    engine: Engine,
    workload: Workload | Operations,
    *,
    clients: int = 1,
    duration_s: float,
    max_queries: int | None = None,
    warmup: Workload | Operations | None = None,
    warmup_s: float = 0.0,
    timeout_s: float = 10.0,
    seed: int = 0,
    first_client: int = 0,
    part: tuple[int, int] = (0, 1),
    begin: StartSignal = perf_counter_ns,
) -> Samples:
    """Keeps `clients` requests in the engine for `duration_s`, or until `max_queries` over all clients.

    Each client is a thread (the calling one if there is only one) and takes the next request of an order that all
    share, so that every query is asked once before one is asked again. part: (number, of how many) client processes;
    with the same seed they divide the queries among themselves.
    The warm-up asks `warmup`, queries of its own, or where there are none begins the first pass over `workload`; its
    requests are not returned, and the load does not pause after it. Clients start up to 10 ms apart, so that they do
    not send at the same moments.
    Scheduled is when the request was sent: in a closed loop nothing is due earlier, so latency equals service time. A
    request is done when its ids and scores have been read. Exceptions of the engine become samples with status ERROR;
    a request slower than `timeout_s` is TIMEOUT and keeps its time. One that never returns is waited
    for until the process is ended.
    Clients are numbered from `first_client`. `begin` is called once they are ready and says when to start.
    Raises UnsupportedError where the engine cannot do what is asked.
    """
    operations = Operations.of(workload)
    if operations.in_order and warmup_s and warmup is None:
        raise ValueError(
            "operations in a given order need a warm-up of their own: pass warmup=, or warmup_s=0"
        )
    requests = bind(operations, engine, np.random.default_rng(seed), part)
    turns = _in_turn(requests, operations)
    pending = turns if max_queries is None else islice(turns, max_queries)
    first = turns if warmup is None else _warming(Operations.of(warmup), engine, seed, part)
    k = operations.k
    rngs = [np.random.default_rng([seed, first_client + number]) for number in range(clients)]
    recordings = [Recording(k, clients * part[1], rng) for rng in rngs]
    start, warm, end = Deadline(), Deadline(), Deadline()

    def run(number: int) -> None:
        phase_s = rngs[number].random() * min(_MAX_PHASE_S, duration_s / 100) if clients > 1 else 0.0
        wait_until(start.ns + int(phase_s * 1e9))
        if perf_counter_ns() < warm.ns:
            _send(first, warm, Recording(k, clients, rngs[number], keep=False))
            wait_until(warm.ns)
        _send(pending, end, recordings[number])

    def set_times() -> None:
        start.ns = begin()
        warm.ns = start.ns + int(warmup_s * 1e9)
        end.ns = warm.ns + int(duration_s * 1e9)

    with quiet_interpreter():
        if clients == 1:
            set_times()
            run(0)
        else:
            _in_threads(clients, run, set_times, (start, warm, end))
    return concatenate(
        [
            recording.samples(requests, number, int(timeout_s * 1e9), end.ns)
            for number, recording in enumerate(recordings, start=first_client)
        ]
    )


def _in_turn(requests: Requests, operations: Operations) -> Pending:
    """One iterator that every client takes from; itertools' are safe to share between threads."""
    return iter(requests.calls) if operations.in_order else cycle(requests.calls)


def _warming(operations: Operations, engine: Engine, seed: int, part: tuple[int, int]) -> Pending:
    return _in_turn(bind(operations, engine, np.random.default_rng(seed), part), operations)


def _in_threads(
    clients: int, run: Callable[[int], None], set_times: Callable[[], None], times: Iterable[Deadline]
) -> None:
    """Runs every client in a thread of its own; if the calling thread is interrupted, they stop first."""
    times_set = Event()
    stopped = False  # read by `wait_and_run` when the times are set

    def wait_and_run(number: int) -> None:
        times_set.wait()
        if not stopped:
            run(number)

    threads = [Thread(target=wait_and_run, args=(number,), daemon=True) for number in range(clients)]
    try:
        for thread in threads:
            thread.start()
        set_times()
        times_set.set()
        for thread in threads:
            thread.join()
    except BaseException:
        stopped = True
        for deadline in times:
            deadline.ns = 0
        times_set.set()
        raise


def _send(pending: Pending, end: Deadline, recording: Recording) -> None:
    """Sends one request after the other until `end` or the last; stores what came after each block of them."""
    more = True
    while more:
        size = recording.block
        more = _send_block(islice(pending, size), end, recording) and len(recording.done_ns) == size
        recording.store()


def _send_block(pending: Pending, end: Deadline, recording: Recording) -> bool:
    """The loop whose cost is measured; False once `end` has come.

    Everything is a local variable, nothing is allocated but what is kept, and the guard costs nothing unless the engine
    raises. Between the two clock readings are the call and reading its answer: lists are there as they are, and what
    comes as anything else is read. Lists are copied right after, so that what happens to them later changes nothing.
    """
    clock, read, failures = perf_counter_ns, read_column, recording.failures
    add_position, add_ids, add_scores = (
        recording.position.append,
        recording.ids.append,
        recording.scores.append,
    )
    add_sent, add_done = recording.sent_ns.append, recording.done_ns.append
    hits: Any = None
    going_on = True
    for position, call in pending:
        sent_ns = clock()
        try:
            hits = call()
            ids, scores = hits.ids, hits.scores
            if type(ids) is list and type(scores) is list:
                done_ns = clock()
                ids, scores = ids.copy(), scores.copy()
            else:
                ids, scores = read(ids), read(scores)
                done_ns = clock()
        except Exception as error:  # noqa: BLE001  whatever an engine raises is a result, not the end of the run
            done_ns = clock()
            hits, ids, scores = None, [], []
            failures[len(recording.done_ns)] = describe(error)
        add_position(position)
        add_sent(sent_ns)
        add_done(done_ns)
        add_ids(ids)
        add_scores(scores)
        if done_ns >= end.ns:
            going_on = False
            break
    recording.last = hits
    return going_on
