"""Closed loop: every client sends its next query when the last one is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import cycle, islice
from threading import Event, Thread
from time import perf_counter_ns

import numpy as np

from engines.base import Engine
from harness.data.workload import Workload
from harness.load.clients import (
    NO_HITS,
    Gate,
    Log,
    Request,
    describe,
    quiet_interpreter,
    requests_in_order,
    wait_until,
)
from harness.results.samples import Samples, concatenate

_MAX_PHASE_S = 0.01


class Moment:
    """A time on the perf_counter_ns clock that is set later, and may be moved into the past to stop clients."""

    __slots__ = ("ns",)

    def __init__(self) -> None:
        self.ns = 0


@dataclass(frozen=True, slots=True)
class Client:
    """One client's share of a closed loop: it warms up from `start` to `warm`, then measures until `end`."""

    engine: Engine
    requests: list[Request]
    k: int
    phase_ns: int
    limit: int | None
    start: Moment
    warm: Moment
    end: Moment
    log: Log

    def run(self) -> None:
        """Warms up and measures, without a pause between."""
        wait_until(self.start.ns + self.phase_ns)
        endless = cycle(self.requests)
        if perf_counter_ns() < self.warm.ns:
            _visit(self.engine, endless, self.k, self.warm, Log())
        if self.limit is None:
            _visit(self.engine, endless, self.k, self.end, self.log)
        else:
            _visit(self.engine, islice(endless, self.limit), self.k, self.end, self.log)


def closed_loop(
    engine: Engine,
    workload: Workload,
    *,
    clients: int = 1,
    duration_s: float,
    max_queries: int | None = None,
    warmup_s: float = 0.0,
    timeout_s: float = 10.0,
    seed: int = 0,
    first_client: int = 0,
    gate: Gate = perf_counter_ns,
) -> Samples:
    """Keeps `clients` requests in the engine for `duration_s`, or until `max_queries` over all clients.

    Each client is a thread (the calling one if there is only one) and visits all queries in its own order,
    again and again. Scheduled is when the request was sent: in a closed loop nothing is due earlier, so
    latency equals service time. Requests sent in the warm-up are not returned; the load does not pause
    after it. Clients start up to 10 ms apart, so that they do not march in step. Exceptions of the engine
    become samples with status ERROR; one slower than `timeout_s` is TIMEOUT and keeps its time. A query
    that never returns is never given up on: that takes ending the process.
    Clients are numbered from `first_client`. `gate` is called once they are ready and says when to start.
    """
    start, warm, end = Moment(), Moment(), Moment()
    team = []
    for number in range(clients):
        rng = np.random.default_rng([seed, first_client + number])
        requests = requests_in_order(workload, rng)
        phase_ns = int(rng.random() * min(_MAX_PHASE_S, duration_s / 100) * 1e9) if clients > 1 else 0
        limit = None if max_queries is None else max_queries // clients + (number < max_queries % clients)
        team.append(Client(engine, requests, workload.k, phase_ns, limit, start, warm, end, Log()))

    def set_moments() -> None:
        start.ns = gate()
        warm.ns = start.ns + int(warmup_s * 1e9)
        end.ns = warm.ns + int(duration_s * 1e9)

    with quiet_interpreter():
        if clients == 1:
            set_moments()
            team[0].run()
        else:
            _in_threads(team, set_moments)
    timeout_ns = int(timeout_s * 1e9)
    logs = enumerate((client.log for client in team), start=first_client)
    return concatenate([log.samples(workload.k, number, timeout_ns) for number, log in logs])


def _in_threads(team: list[Client], set_moments: Callable[[], None]) -> None:
    """Runs every client in a thread of its own; if the calling thread is interrupted, they stop first."""
    moments_set = Event()
    stopped = False  # read by `run` when the moments are set

    def run(client: Client) -> None:
        moments_set.wait()
        if not stopped:
            client.run()

    threads = [Thread(target=run, args=(client,), daemon=True) for client in team]
    try:
        for thread in threads:
            thread.start()
        set_moments()
        moments_set.set()
        for thread in threads:
            thread.join()
    except BaseException:
        stopped = True
        for moment in (team[0].start, team[0].warm, team[0].end):
            moment.ns = 0
        moments_set.set()
        raise


def _visit(engine: Engine, requests: Iterable[Request], k: int, end: Moment, log: Log) -> None:
    """Sends one request after the other until `end` or the last; the loop whose cost is measured.

    Everything is a local variable, nothing is allocated but what is kept, and the guard costs nothing
    unless the engine raises. Only the call itself is between the two clock readings.
    """
    query, clock = engine.query, perf_counter_ns
    add_query, add_ids = log.query.append, log.ids.append
    add_sent, add_done = log.sent_ns.append, log.done_ns.append
    for index, vector, where in requests:
        sent_ns = clock()
        try:
            hits = query(vector, k, where)
            done_ns = clock()
            ids = hits.ids
        except Exception as error:  # noqa: BLE001  whatever an engine raises is a result, not the end of the run
            done_ns = clock()
            ids = NO_HITS
            log.failures[len(log.ids)] = describe(error)
        add_query(index)
        add_sent(sent_ns)
        add_done(done_ns)
        add_ids(ids)
        if done_ns >= end.ns:
            return
