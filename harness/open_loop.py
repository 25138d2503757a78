"""Open loop: requests are due by a schedule, whatever the engine does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from threading import Lock, Thread
from time import perf_counter_ns
from typing import Any

import numpy as np

from engines.base import Engine
from harness.clients import (
    NO_HITS,
    Gate,
    describe,
    quiet_interpreter,
    requests_in_order,
    sharpen_sleep,
    to_samples,
    wait_until,
)
from harness.samples import TIMEOUT, Int64, Samples
from harness.workload import Workload

_LEAD_NS = 20_000_000  # between the gate and the start of the schedule: the clients get into position


def open_loop(
    engine: Engine,
    workload: Workload,
    schedule_ns: Int64,
    *,
    clients: int,
    timeout_s: float = 10.0,
    drain_s: float = 10.0,
    warmup_s: float = 0.0,
    seed: int = 0,
    first_client: int = 0,
    gate: Gate = perf_counter_ns,
) -> Samples:
    """Sends one request for each offset of `schedule_ns` (int64[n], ascending) and returns n samples.

    `clients` threads bound how many requests are in the engine at once. Latency counts from the scheduled
    time, also of a request that had to wait for a client, and the schedule never shifts. What has not been
    sent `drain_s` after the last request was due becomes a TIMEOUT sample with sent = done = that moment;
    what is still in the engine `timeout_s` later one with done = that moment: lower bounds both. One whose
    latency exceeds `timeout_s` is TIMEOUT too and keeps its time. Exceptions become samples with status
    ERROR.

    The warm-up plays the first `warmup_s` of the schedule before the schedule proper, without a pause
    between, and is not returned.
    Clients are numbered from `first_client`. `gate` is called once they are ready and says when to start.
    """
    warm_ns = schedule_ns[schedule_ns < warmup_s * 1e9]
    offsets_ns = np.concatenate([warm_ns, schedule_ns + int(warmup_s * 1e9)])
    replay = Replay(
        engine, workload, offsets_ns, int(drain_s * 1e9), np.random.default_rng([seed, first_client])
    )
    with quiet_interpreter():
        replay.run(clients, gate, int(timeout_s * 1e9))
    return replay.samples(len(warm_ns), first_client, int(timeout_s * 1e9))


class Replay:
    """One schedule and what became of its requests, by the leader/followers pattern.

    One thread, the leader, waits for the next request to fall due; then it lets another lead and sends the
    request itself. So nothing is handed from one thread to another between the due time and the send.
    An engine is called synchronously, so each request in it occupies a thread. When hundreds of them are
    answered at once, as after a stall, they queue for the interpreter lock before they can take the time:
    latencies then come out too high, by more the busier the machine (tests/perf/load.py).
    """

    def __init__(
        self,
        engine: Engine,
        workload: Workload,
        offsets_ns: Int64,
        drain_ns: int,
        rng: np.random.Generator,
    ) -> None:
        n = len(offsets_ns)
        self.engine, self.k = engine, workload.k
        self.offsets_ns, self.drain_ns = offsets_ns, drain_ns
        self.requests = requests_in_order(workload, rng)
        self.leader = Lock()
        self.turns: Iterator[int] = iter(())  # none before the start is known
        # One slot a request: threads write their own, so no lock is held and nothing is merged.
        self.scheduled_ns: list[int] = []
        self.sent_ns, self.done_ns, self.client = [0] * n, [0] * n, [-1] * n
        self.ids: list[Any] = [NO_HITS] * n
        self.failures: dict[int, str] = {}
        self.limit_ns = 0

    def run(self, clients: int, gate: Gate, timeout_ns: int) -> None:
        """Plays the schedule; returns when every request is answered or given up on."""
        threads = [Thread(target=self._client, args=(number,), daemon=True) for number in range(clients)]
        try:
            with self.leader:  # until the turns are dealt
                for thread in threads:
                    thread.start()
                self.scheduled_ns = (gate() + _LEAD_NS + self.offsets_ns).tolist()
                self.limit_ns = max(self.scheduled_ns, default=0) + self.drain_ns
                self.turns = iter(range(len(self.scheduled_ns)))
            for thread in threads:
                thread.join(max(0, self.limit_ns + timeout_ns - perf_counter_ns()) / 1e9)
        except BaseException:
            self.turns = iter(())
            raise

    def _client(self, number: int) -> None:
        sharpen_sleep()
        query, k, clock = self.engine.query, self.k, perf_counter_ns
        while True:
            with self.leader:
                turn = next(self.turns, None)
                if turn is None:
                    return
                wait_until(self.scheduled_ns[turn])
            _, vector, where = self.requests[turn % len(self.requests)]
            sent_ns = clock()
            if sent_ns > self.limit_ns:
                return
            self.client[turn], self.sent_ns[turn] = number, sent_ns
            try:
                hits = query(vector, k, where)
                done_ns = clock()
                ids = hits.ids
            except Exception as error:  # noqa: BLE001  as in the closed loop
                done_ns = clock()
                ids = NO_HITS
                self.failures[turn] = describe(error)
            self.ids[turn] = ids
            self.done_ns[turn] = done_ns

    def samples(self, skip: int, first_client: int, timeout_ns: int) -> Samples:
        """The requests after the first `skip`. Those without an answer by now are given up on."""
        # Threads still in the engine may write into the slots, `done_ns` last: so it is read first.
        done_ns = np.array(self.done_ns, dtype=np.int64)
        sent_ns, client = np.array(self.sent_ns, dtype=np.int64), np.array(self.client, dtype=np.int64)
        unsent, unanswered = sent_ns == 0, done_ns == 0
        sent_ns[unsent] = self.limit_ns
        done_ns[unanswered] = np.where(unsent, self.limit_ns, self.limit_ns + timeout_ns)[unanswered]
        client[~unsent] += first_client
        order = np.array([index for index, _, _ in self.requests], dtype=np.int64)
        kept = slice(skip, None)
        samples = to_samples(
            scheduled_ns=np.array(self.scheduled_ns, dtype=np.int64)[kept],
            sent_ns=sent_ns[kept],
            done_ns=done_ns[kept],
            query=order[np.arange(len(done_ns)) % len(order)][kept],
            client=client[kept],
            answers=[NO_HITS if lost else ids for ids, lost in zip(self.ids, unanswered, strict=True)][kept],
            failures={
                turn - skip: text
                for turn, text in self.failures.items()
                if turn >= skip and not unanswered[turn]
            },
            k=self.k,
            timeout_ns=timeout_ns,
        )
        return replace(samples, status=np.where(unanswered[kept], TIMEOUT, samples.status))
