"""Queries over HTTP of which many are in flight: answers and their tokens, failures, time-outs, closing."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from select import select

import pytest

from engines.base import EngineError
from engines.http.client import HttpClient
from engines.http.pipeline import Pipeline
from engines.server.endpoint import Endpoint

Reply = Callable[[int, socket.socket], None]  # what is done for a request (its number) on its connection


class Server:
    """Answers each request on a thread of its own, as told; requests carry a number as their body."""

    def __init__(self, reply: Reply) -> None:
        self._reply, self.connections = reply, list[socket.socket]()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=600)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection = self._listener.accept()[0]
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        waiting = b""
        while True:
            try:
                data = connection.recv(1 << 16)
            except OSError:
                return
            if not data:
                return
            waiting += data
            head, found, body = waiting.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]) if found else -1
            if found and len(body) == length:
                waiting = b""
                with suppress(OSError):  # the client has gone
                    self._reply(int(body[:12]), connection)

    def close(self) -> None:
        for each in (self._listener, *self.connections):
            with suppress(OSError):  # the other side was faster
                each.shutdown(socket.SHUT_RDWR)
            each.close()


def answer(connection: socket.socket, body: bytes, status: str = "200 OK", *parts: int) -> None:
    """Sends an answer, whole or in pieces that end at `parts`."""
    data = b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n%b" % (status.encode(), len(body), body)
    start = 0
    for end in (*parts, len(data)):
        connection.sendall(data[start:end])
        start = end
        time.sleep(0.001 * bool(parts))


@contextmanager
def flying(reply: Reply, timeout_s: float = 60.0) -> Iterator[tuple[Pipeline, HttpClient, Server]]:
    with closing(Server(reply)) as server:
        client = HttpClient(Endpoint(server.url), timeout_s=timeout_s)
        with closing(Pipeline(client)) as pipeline:
            yield pipeline, client, server


def body(number: int, size: int = 12) -> bytes:
    return b"%012d" % number + b" " * (size - 12)


def collected(pipeline: Pipeline, count: int, wait_s: float = 20.0) -> dict[int, bytes | EngineError]:
    found: dict[int, bytes | EngineError] = {}
    deadline = time.monotonic() + wait_s
    while len(found) < count and time.monotonic() < deadline:
        select([pipeline], [], [], 0.05)
        for token, answered in pipeline.collect():
            assert token not in found
            found[token] = answered
    return found


@pytest.mark.parametrize("size", [12, 3 << 20], ids=["small", "beyond-a-sockets-buffer"])
def test_answers_belong_to_their_tokens_however_late_they_come(size: int) -> None:
    count = 200 if size == 12 else 4

    def reply(number: int, connection: socket.socket) -> None:
        time.sleep(random.random() * 0.05)
        answer(connection, b"answer %d" % number, "200 OK", 5, 40)

    with flying(reply) as (pipeline, _, server):
        for number in range(count):
            pipeline.send(1000 + number, "/ask", body(number, size))
        found = collected(pipeline, count)
        assert found == {1000 + number: b"answer %d" % number for number in range(count)}
        opened = len(server.connections)
        for number in range(count):
            pipeline.send(number, "/ask", body(number, size))
        assert len(collected(pipeline, count)) == count
        assert len(server.connections) == opened == count  # they are used again


def test_failures_belong_to_their_tokens_too() -> None:
    def reply(number: int, connection: socket.socket) -> None:
        if number % 4 == 0:
            answer(connection, b"fine")
        elif number % 4 == 1:
            answer(connection, b"no such column", "400 Bad Request")
        elif number % 4 == 2:
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nshort")
            connection.shutdown(socket.SHUT_RDWR)
        else:
            connection.sendall(b"no HTTP at all\r\n\r\n")

    with flying(reply) as (pipeline, client, _):
        for number in range(40):
            pipeline.send(number, "/ask", body(number))
        found = collected(pipeline, 40)
    expected = ["fine", "HTTP 400: no such column", "the connection broke", "the answer is no HTTP"]
    for number, told in found.items():
        text = told.decode() if isinstance(told, bytes) else str(told)
        assert expected[number % 4] in text
    assert len(found) == 40
    assert client.retries == 0


def test_a_request_that_an_idle_connection_took_with_it_is_sent_again_once() -> None:
    seen: dict[int, int] = {}

    def reply(number: int, connection: socket.socket) -> None:
        seen[number] = seen.get(number, 0) + 1
        if number in (7, 8) and (seen[number] == 1 or number == 8):
            connection.shutdown(socket.SHUT_RDWR)
            return
        answer(connection, b"fine")

    with flying(reply) as (pipeline, client, _):
        for number in (1, 2):
            pipeline.send(number, "/ask", body(number))
        assert len(collected(pipeline, 2)) == 2
        for number in (7, 8):
            pipeline.send(number, "/ask", body(number))
        found = collected(pipeline, 2)
        assert found[7] == b"fine"
        assert "the connection broke" in str(found[8])
        assert seen == {1: 1, 2: 1, 7: 2, 8: 2}
        assert client.retries == 2


def test_what_is_never_answered_is_given_up_and_the_rest_goes_on() -> None:
    def reply(number: int, connection: socket.socket) -> None:
        if number != 3:
            answer(connection, b"fine")

    with flying(reply, timeout_s=0.3) as (pipeline, _, _):
        for number in range(6):
            pipeline.send(number, "/ask", body(number))
        found = collected(pipeline, 6)
        assert "no answer for 0.3 s" in str(found.pop(3))
        assert found == dict.fromkeys((0, 1, 2, 4, 5), b"fine")
        pipeline.send(9, "/ask", body(9))
        assert collected(pipeline, 1) == {9: b"fine"}


def test_a_server_that_is_gone_is_told_by_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("engines.http.client.pause_after_loss", lambda: None)
    with flying(lambda number, connection: answer(connection, b"fine")) as (pipeline, _, server):
        pipeline.send(0, "/ask", body(0))
        assert len(collected(pipeline, 1)) == 1
        server.close()
        pipeline.send(1, "/ask", body(1))  # on the connection that was open
        assert "is the server running" in str(collected(pipeline, 1)[1])
        with pytest.raises(EngineError, match="is the server running"):
            pipeline.send(2, "/ask", body(2))


def test_closing_ends_what_is_in_flight_and_a_new_one_begins_afresh() -> None:
    held = threading.Event()

    def reply(number: int, connection: socket.socket) -> None:
        if number < 50:
            held.wait(10)
        answer(connection, b"fine")

    with flying(reply) as (pipeline, client, _):
        for number in range(50):
            pipeline.send(number, "/ask", body(number))
        assert pipeline.collect() == []
        pipeline.close()
        held.set()
        with closing(Pipeline(client)) as other:
            other.send(77, "/ask", body(77))
            assert collected(other, 1) == {77: b"fine"}
