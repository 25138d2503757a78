"""The open loop over engines that take queries without waiting for the answers."""

from __future__ import annotations

import fcntl
import resource
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from engines.abilities import Pipelined
from engines.base import Capabilities, EngineError, Hits
from harness.calibration.null_engine import NullEngine
from harness.load.open_loop import open_loop
from harness.load.operations import Operations, Query
from harness.load.replay import pipelined
from harness.load.replay.readable import Readable
from harness.load.schedules import constant, poisson
from harness.results.samples import ERROR, OK, TIMEOUT
from tests.unit.load.load_engines import K, echo, numbered

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


@pytest.mark.parametrize("beyond", [False, True], ids=["few descriptors", "over 1,024 descriptors"])
def test_the_number_of_open_descriptors_does_not_matter(beyond: bool):
    engine = Piped()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    try:
        if beyond:
            resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, hard), hard))
            engine.ours = socket.socket(fileno=fcntl.fcntl(engine.ours.detach(), fcntl.F_DUPFD, 1500))
        samples = open_loop(engine, WORKLOAD, SCHEDULE, clients=64)
        engine.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(samples) == len(SCHEDULE)
    assert ((samples.status == OK) | (samples.status == ERROR)).all()


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
    """The server stops for 400 ms at its first request; all due meanwhile are sent before its end and wait for it."""
    first = threading.Event()

    def serve(tokens: list[int]) -> list[int]:
        if not first.is_set():
            first.set()
            time.sleep(0.4)
        return tokens

    samples = open_loop(Piped(serve), WORKLOAD, constant(100, 0.5), clients=64)
    stall_ends_ns = samples.sent_ns.min() + 400_000_000
    early = (samples.scheduled_ns < stall_ends_ns) & (samples.query != 13)  # which is refused at once
    assert early.sum() > 10
    assert (samples.done_ns[early] >= stall_ends_ns).all()
    assert (samples.latency_ns[early] >= stall_ends_ns - samples.scheduled_ns[early]).all()
    # A busy machine may delay what is due at the end.
    well_before = samples.scheduled_ns < stall_ends_ns - 200_000_000
    assert well_before.sum() > 10
    assert (samples.sent_ns[well_before] < stall_ends_ns).all()


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


def test_late_answers_of_an_earlier_load_are_passed_over():
    """The first load's requests are answered when the second has begun: its own answers stay its own."""
    held: list[int] = []
    release = threading.Event()

    def serve(tokens: list[int]) -> list[int]:
        if not release.is_set():
            held.extend(tokens)
            return []
        answered, held[:] = [*held, *tokens], []
        return answered

    engine = Piped(serve)
    first = open_loop(engine, WORKLOAD, np.zeros(5, dtype=np.int64), clients=5, drain_s=0.02, timeout_s=0.05)
    lost = np.count_nonzero(first.status == TIMEOUT)
    assert first.abandoned == lost >= 4
    release.set()
    second = open_loop(engine, WORKLOAD, SCHEDULE, clients=64, seed=9)
    assert second.abandoned == 0
    assert not held
    fine = second.status == OK
    assert fine.sum() > 50
    for query, ids, length in zip(second.query[fine], second.ids[fine], second.lengths[fine], strict=True):
        assert ids[:length].tolist() == list(echo(int(query)).ids)


class Noted(Readable):
    """Notes how long it was to wait, and loses the processor at the turns of the spin that `taken` names."""

    waits_ns: list[int]
    taken: tuple[int, ...] = ()

    def within(self, wait_ns: int) -> bool:
        self.waits_ns.append(wait_ns)
        if wait_ns <= 0 and sum(each <= 0 for each in self.waits_ns) in self.taken:
            time.sleep(0.003)
        return super().within(wait_ns)


def longest_wait_ms(monkeypatch: pytest.MonkeyPatch, engine: Piped, *taken: int) -> float:
    """How long the sender sleeps at most where a request is due every 40 ms and answered at once."""
    noted = type("Noted", (Noted,), {"waits_ns": [], "taken": taken})
    monkeypatch.setattr(pipelined, "Readable", noted)
    samples = open_loop(engine, WORKLOAD, constant(25, 0.4), clients=8)
    assert (samples.status[~np.isin(samples.query, (7, 13))] == OK).all()
    return max(noted.waits_ns[2:-1]) / 1e6  # type: ignore[attr-defined]


def test_the_sender_spins_unless_a_thread_of_the_client_needs_the_processor(monkeypatch: pytest.MonkeyPatch):
    class OnAThread(Piped):
        capabilities = Capabilities(pipelined=True, receiving_thread=True)

    monkeypatch.setattr(pipelined, "_TAKEN_NS", 10**12)  # whatever else this machine does
    assert longest_wait_ms(monkeypatch, Piped()) <= 30
    assert 35 < longest_wait_ms(monkeypatch, OnAThread()) < 40


def test_the_sender_sleeps_for_a_while_once_it_has_lost_the_processor_spinning(
    monkeypatch: pytest.MonkeyPatch,
):
    assert 35 < longest_wait_ms(monkeypatch, Piped(), 20) < 40
    monkeypatch.setattr(pipelined, "_WARY_NS", 0)
    assert longest_wait_ms(monkeypatch, Piped(), 20) <= 30


class Inventing(Piped):
    """Answers a request that nobody has sent."""

    def collect(self) -> list[tuple[int, Hits | Exception]]:
        answers = super().collect()
        return [*answers, (10**9, echo(3))] if answers else []


class Repeating(Piped):
    """Answers each request twice."""

    def collect(self) -> list[tuple[int, Hits | Exception]]:
        answers = super().collect()
        return [*answers, *answers]


@pytest.mark.parametrize("kind", [Inventing, Repeating])
def test_an_answer_to_a_request_that_is_not_in_the_engine_is_an_error(kind: type[Piped]):
    with pytest.raises(EngineError, match="which was not in the engine"):
        open_loop(kind(), WORKLOAD, SCHEDULE, clients=64)


class Swapping(Piped):
    """Gives each of two answers that come together to the other's request."""

    def collect(self) -> list[tuple[int, Hits | Exception]]:
        answers = super().collect()
        return [(token, hits) for (token, _), (_, hits) in zip(answers, answers[::-1], strict=True)]


def test_answers_given_to_the_wrong_request_are_judged_as_such():
    samples = open_loop(Swapping(), WORKLOAD, np.zeros(40, dtype=np.int64), clients=40)
    right = [
        ids[:length].tolist() == list(echo(int(query)).ids)
        for query, ids, length in zip(samples.query, samples.ids, samples.lengths, strict=True)
    ]
    assert not all(right)


def test_a_wait_for_room_in_flight_is_no_lateness_of_ours():
    def serve(tokens: list[int]) -> list[int]:
        time.sleep(0.01)
        return tokens

    samples = open_loop(Piped(serve), WORKLOAD, np.zeros(15, dtype=np.int64), clients=1, drain_s=60)
    assert samples.free_ns is not None
    waited = (samples.query != 13) & (samples.sent_ns - samples.scheduled_ns > 5_000_000)
    waited[0] = False  # late only on a busy machine
    assert waited.sum() >= 12
    assert (samples.free_ns[waited] > samples.scheduled_ns[waited]).all()
    assert np.median(samples.lateness_ns[waited]) < 0.2 * np.median(
        samples.sent_ns[waited] - samples.scheduled_ns[waited]
    )


def test_lazy_answers_are_read_within_the_clock():
    class Late:
        def __len__(self) -> int:
            return K

        def __iter__(self) -> Any:
            time.sleep(0.003)
            return iter(range(K))

    class Lazily(Piped):
        def collect(self) -> list[tuple[int, Hits | Exception]]:
            return [(token, Hits(Late(), [0.0] * K)) for token, _ in super().collect()]  # type: ignore[arg-type]

    samples = open_loop(Lazily(), WORKLOAD, constant(100, 0.1), clients=8)
    fine = samples.status == OK
    assert fine.sum() >= 9
    assert (samples.service_time_ns[fine] >= 3_000_000).all()
    assert (samples.ids[fine] == np.arange(K)).all()


def test_an_answer_that_cannot_be_read_is_an_error_of_its_request():
    class Broken(Piped):
        def collect(self) -> list[tuple[int, Hits | Exception]]:
            return [(token, Hits(None, None)) for token, _ in super().collect()]  # type: ignore[arg-type]

    samples = open_loop(Broken(), WORKLOAD, constant(200, 0.05), clients=8)
    assert (samples.status == ERROR).all()


def test_operations_other_than_queries_are_sent_from_threads():
    """`submit` takes queries only; exact ones and writes of the same engine are called."""

    class Called(Piped):
        def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
            assert exact
            return echo(int(vector[0]))

    queries = tuple(Query(number, vector, exact=True) for number, vector in enumerate(WORKLOAD.queries))
    samples = open_loop(Called(), Operations(queries, K), constant(400, 0.05), clients=2)
    assert (samples.status == OK).all()
    assert len(samples) == 20
