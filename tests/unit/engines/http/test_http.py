"""What the HTTP client sends and reads, and the connections it keeps."""

from __future__ import annotations

import gc
import socket
import threading
import warnings

import pytest

from engines.base import EngineError
from engines.http.client import HttpClient, HttpError
from engines.server.endpoint import Endpoint
from tests.unit.engines.http.stub import CHUNKED, OK, client_of, stub


def test_several_requests_share_a_connection() -> None:
    with stub([OK, OK, OK]) as server, client_of(server.url) as client:
        client.warm()
        client.warm()
        assert [client.post("/a?b=c", b"body") for _ in range(3)] == [b"fine"] * 3
        assert (server.connections, client.retries) == (1, 0)
        head, _, body = server.requests[0].partition(b"\r\n\r\n")
        assert body == b"body"
        assert head.split(b"\r\n")[0] == b"POST /a?b=c HTTP/1.1"
        assert f"Host: {server.url[7:]}".encode() in head
        assert b"Content-Type: application/json" in head
        assert b"Authorization" not in head


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (CHUNKED, b"abcdefgh"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"fine"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000, b"x" * 300_000),
    ],
)
def test_every_kind_of_body_leaves_the_connection_in_use(answer: bytes, body: bytes) -> None:
    with stub([answer, OK]) as server, client_of(server.url) as client:
        assert client.post("/", b"") == body
        assert client.post("/", b"") == b"fine"
        assert (server.connections, client.retries) == (1, 0)


def test_an_answer_may_come_byte_by_byte() -> None:
    def dribble(sock: socket.socket) -> None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in CHUNKED:
            sock.sendall(bytes([byte]))

    with stub([dribble, OK]) as server, client_of(server.url) as client:
        assert client.post("/", b"") == b"abcdefgh"
        assert client.post("/", b"") == b"fine"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\nfine",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nfine",  # the body ends with the connection
        b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nfine",
    ],
)
def test_a_server_that_closes_is_asked_again_over_a_new_connection(answer: bytes) -> None:
    with stub([answer], [OK]) as server, client_of(server.url) as client:
        assert client.post("/", b"") == b"fine"
        assert client.post("/", b"") == b"fine"
        assert (server.connections, client.retries) == (2, 0)


def test_a_connection_that_went_stale_is_opened_again_and_counted() -> None:
    with stub([OK], [OK]) as server, client_of(server.url) as client:
        client.post("/", b"1")
        assert client._idle[-1]._sock.recv(1, socket.MSG_PEEK) == b""  # it has hung up
        assert client.post("/", b"2") == b"fine"
        assert (server.connections, client.retries) == (2, 1)
        assert [request.partition(b"\r\n\r\n")[2] for request in server.requests] == [b"1", b"2"]


def test_credentials_become_headers_and_are_in_no_message() -> None:
    refusal = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
    with (
        stub([OK, refusal]) as server,
        client_of(server.url, user="Aladdin", password="open sesame") as client,
    ):
        client.post("/", b"")
        assert b"Authorization: Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" in server.requests[0]  # RFC 7617, 2
        with pytest.raises(HttpError, match="credentials were refused: HTTP 401") as caught:
            client.post("/", b"")
        assert "sesame" not in str(caught.value)
    with stub([OK], [OK]) as server:
        with client_of(server.url, api_key="k3y", user="u") as client:
            client.post("/", b"")
        with client_of(server.url, {"Authorization": "Bearer t", "X": "y"}, api_key="k3y") as client:
            client.post("/", b"")
        assert b"Authorization: ApiKey k3y\r\n" in server.requests[0]
        assert b"Authorization: Bearer t\r\nX: y\r\n" in server.requests[1]
    with pytest.raises(EngineError, match="Authorization must be printable") as broken:
        HttpClient(Endpoint(server.url, api_key="k3y\r\nX: y"))
    assert "k3y" not in str(broken.value)


def test_a_path_in_the_url_comes_before_the_target() -> None:
    with stub([OK]) as server, client_of(f"{server.url}/elastic/") as client:
        client.post("/_search", b"")
        assert server.requests[0].startswith(b"POST /elastic/_search HTTP/1.1\r\n")


def test_connections_outlive_the_threads_that_opened_them() -> None:
    with stub([OK, OK, OK, OK], close=False) as server, client_of(server.url) as client:
        client.warm()
        for _ in range(3):
            thread = threading.Thread(target=client.post, args=("/", b""))
            thread.start()
            thread.join()
        client.warm()
        assert server.connections == len(client._connections) == 1


def test_requests_at_once_have_a_connection_each() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def answer(sock: socket.socket) -> None:
        asked.set()
        go_on.wait(5)
        sock.sendall(OK)

    with stub([answer], [], close=False) as server, client_of(server.url) as client:
        thread = threading.Thread(target=client.post, args=("/", b""))
        thread.start()
        asked.wait(5)
        client.warm()  # the only connection is busy
        go_on.set()
        thread.join()
        assert len(client._idle) == 2
        client.close()
        assert len(client._idle) == 0


def test_nothing_is_left_open_when_a_client_is_forgotten() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with stub([OK], close=False) as server:
            HttpClient(Endpoint(server.url)).post("/", b"")
            gc.collect()
