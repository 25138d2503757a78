"""The HTTP client where the answer is late, half, an error, or none."""

from __future__ import annotations

import socket
import threading

import pytest

from engines.base import EngineError
from engines.http.client import HttpError
from tests.unit.engines.http.stub import CHUNKED, OK, client_of, stub


def test_a_server_that_hangs_up_on_a_new_connection_is_an_error() -> None:
    with stub([lambda sock: None]) as server, client_of(server.url) as client:
        with pytest.raises(EngineError, match=r"/x: the connection broke .*still running"):
            client.post("/x", b"")
        assert client.retries == 0


@pytest.mark.parametrize("half", [OK[:-1], OK[:20], CHUNKED[:-5]])
def test_half_an_answer_is_an_error(half: bytes) -> None:
    with stub([OK, half]) as server, client_of(server.url) as client:
        client.post("/", b"")
        with pytest.raises(EngineError, match="the connection broke"):
            client.post("/", b"")
        assert client.retries == 0


def test_what_is_no_http_is_an_error() -> None:
    with (
        stub([b"SSH-2.0-OpenSSH_9\r\n"]) as server,
        client_of(server.url) as client,
        pytest.raises(EngineError, match=r"no HTTP.*right port"),
    ):
        client.post("/", b"")


def test_silence_is_an_error_and_its_late_answer_is_not_taken_for_another() -> None:
    with (
        stub([lambda sock: None], [OK], close=False) as server,
        client_of(server.url, timeout_s=0.2) as client,
    ):
        with pytest.raises(EngineError, match=r"no answer for 0\.2 s"):
            client.post("/", b"")
        assert client.post("/", b"") == b"fine"
        assert server.connections == 2


def test_a_refusal_carries_status_and_explanation_and_keeps_the_connection() -> None:
    text = b'{"error": {"reason": "no\n such index"}}'
    refusal = b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)
    with stub([refusal, OK]) as server, client_of(server.url) as client:
        with pytest.raises(HttpError, match=r'/i/_search: HTTP 404: .*"no such index"') as caught:
            client.post("/i/_search", b"")
        assert (caught.value.status, caught.value.body) == (404, text)
        assert client.post("/", b"") == b"fine"
        assert server.connections == 1


def test_a_server_that_refuses_before_it_has_read_all_is_heard() -> None:
    refusal = b"HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 3\r\n\r\nbig"
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        client, _ = listener.accept()
        client.recv(10)
        client.sendall(refusal)
        client.shutdown(socket.SHUT_WR)
        while client.recv(1 << 20):  # let it finish, as servers do lest the answer is lost
            pass
        client.close()

    thread = threading.Thread(target=serve)
    thread.start()
    with (
        client_of(f"http://127.0.0.1:{listener.getsockname()[1]}") as client,
        pytest.raises(HttpError, match="413: big"),
    ):
        client.post("/", bytes(20 << 20))
    thread.join()
    listener.close()


def test_no_server_is_one_clear_line() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    with (
        client_of(f"http://127.0.0.1:{port}") as client,
        pytest.raises(EngineError, match=rf"127\.0\.0\.1:{port}: no connection .*refused.*is the server"),
    ):
        client.warm()
    with client_of("http://host.invalid:1") as client, pytest.raises(EngineError, match="no connection"):
        client.post("/", b"")
