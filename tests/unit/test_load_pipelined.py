"""The open loop over engines that take queries without waiting for the answers."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engines.abilities import Pipelined
from engines.base import Capabilities, Hits
from harness.calibration.null_engine import NullEngine
from harness.load.open_loop import open_loop
from harness.load.schedules import constant, poisson
from harness.results.samples import ERROR, OK, TIMEOUT
from tests.unit.load_engines import K, echo, numbered

WORKLOAD = numbered(20)
SCHEDULE = poisson(2000, 0.05, np.random.default_rng(0))


class Piped(NullEngine):
    """A server on a thread of its own, at the other end of a socket pair; it answers with query numbers."""

    capabilities = Capabilities(pipelined=True)

    def __init__(self, serve: Callable[[list[int]], list[int]] = lambda tokens: tokens) -> None:
        super().__init__()
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.ours.setblocking(False)
        self.number: dict[int, int] = {}
        self.in_flight = self.most = 0
        self.serve = serve
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while message := self.theirs.recv(8):
            for token in self.serve([int.from_bytes(message, "little")]):
                self.theirs.send(token.to_bytes(8, "little"))

    def submit(self, token: int, vector: Any, k: int, where: Any = None) -> None:
        if vector[0] == 13:
            raise RuntimeError("13 is refused")
        self.number[token] = int(vector[0])
        self.in_flight += 1
        self.most = max(self.most, self.in_flight)
        self.ours.send(token.to_bytes(8, "little"))

    def fileno(self) -> int:
        return self.ours.fileno()

    def collect(self) -> list[tuple[int, Hits | Exception]]:
        answers: list[tuple[int, Hits | Exception]] = []
        while True:
            try:
                token = int.from_bytes(self.ours.recv(8), "little")
            except BlockingIOError:
                return answers
            self.in_flight -= 1
            number = self.number[token]
            answers.append((token, ValueError("7 fails") if number == 7 else echo(number)))

    def close(self) -> None:
        self.ours.close()


def test_the_protocol_is_recognised():
    assert isinstance(Piped(), Pipelined)
    assert not isinstance(NullEngine(), Pipelined)


def test_every_request_yields_one_sample_with_its_own_hits_and_failures_are_kept():
    samples = open_loop(Piped(), WORKLOAD, SCHEDULE, clients=64)
    assert len(samples) == len(SCHEDULE)
    assert np.array_equal(samples.scheduled_ns - samples.scheduled_ns[0], SCHEDULE - SCHEDULE[0])
    assert (samples.lateness_ns >= 0).all()
    assert (samples.done_ns >= samples.sent_ns).all()
    failed = np.isin(samples.query, (7, 13))
    assert failed.any()
    assert (samples.status == np.where(failed, ERROR, OK)).all()
    assert set(samples.errors) == {"ValueError: 7 fails", "RuntimeError: 13 is refused"}
    for query, ids, length in zip(samples.query, samples.ids, samples.lengths, strict=True):
        expected = [] if query in (7, 13) else list(echo(int(query)).ids)
        assert ids[:length].tolist() == expected
        assert len(ids) == K


def test_a_stall_holds_back_answers_but_no_requests():
    """The server stops for 100 ms at its first request; all due meanwhile are sent on time and wait for its end."""
    first = threading.Event()

    def serve(tokens: list[int]) -> list[int]:
        if not first.is_set():
            first.set()
            time.sleep(0.1)
        return tokens

    samples = open_loop(Piped(serve), WORKLOAD, constant(200, 0.2), clients=64)
    stall_ends_ns = samples.sent_ns.min() + 100_000_000
    early = (samples.scheduled_ns < stall_ends_ns) & (samples.query != 13)  # which is refused at once
    assert early.sum() > 10
    assert (samples.done_ns[early] >= stall_ends_ns).all()
    assert (samples.latency_ns[early] >= stall_ends_ns - samples.scheduled_ns[early]).all()
    assert (samples.sent_ns[early][1:-1] < stall_ends_ns).all()


@pytest.mark.parametrize("clients", [1, 3])
def test_clients_bound_what_is_in_flight(clients: int):
    engine = Piped()
    samples = open_loop(engine, WORKLOAD, np.zeros(50, dtype=np.int64), clients=clients)
    assert len(samples) == 50
    assert engine.most <= clients


def test_what_is_never_answered_is_a_timeout_and_what_is_never_sent_too():
    samples = open_loop(
        Piped(lambda tokens: []),
        WORKLOAD,
        np.zeros(6, dtype=np.int64),
        clients=2,
        drain_s=0.05,
        timeout_s=0.1,
    )
    assert len(samples) == 6
    answered_or_refused = samples.status != TIMEOUT
    assert set(samples.query[answered_or_refused]) <= {13}
    unsent = samples.client == -1
    assert unsent.sum() >= 3
    assert (samples.latency_ns[unsent] == 50_000_000).all()
    assert (samples.latency_ns[~unsent & ~answered_or_refused] >= 150_000_000).all()
