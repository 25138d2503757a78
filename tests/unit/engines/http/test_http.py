"""The HTTP client against sockets that answer as they are told."""

from __future__ import annotations

import gc
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engines.base import EngineError
from engines.http.client import HttpClient, HttpError
from engines.server.endpoint import Endpoint
from tests.servers.certificates import self_signed

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"


class Stub:
    """A server that gives the answers of a script: a list of answers for each connection in turn.

    An answer is bytes to send, or a function that is given the socket. After the last one it hangs up.
    """

    def __init__(self, *scripts: list[bytes | Callable[[socket.socket], None]], close: bool = True) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._close = close
        self._kept: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve, args=(scripts,), daemon=True)
        self._thread.start()

    def _serve(self, scripts: tuple[list[bytes | Callable[[socket.socket], None]], ...]) -> None:
        for script in scripts:
            client, _ = self._listener.accept()
            self.connections += 1
            for answer in script:
                request = self._request(client)
                if request is None:
                    break
                self.requests.append(request)
                if callable(answer):
                    answer(client)
                else:
                    client.sendall(answer)
            if self._close:
                client.close()
            else:
                self._kept.append(client)

    @staticmethod
    def _request(client: socket.socket) -> bytes | None:
        """None where the client has hung up."""
        data = b""
        while b"\r\n\r\n" not in data:
            received = client.recv(1 << 20)
            if not received:
                return None
            data += received
        head, _, body = data.partition(b"\r\n\r\n")
        length = int(head.rpartition(b"Content-Length: ")[2])
        while len(body) < length:
            body += client.recv(1 << 20)
        return head + b"\r\n\r\n" + body

    def stop(self) -> None:
        self._thread.join(5)
        for client in self._kept:
            client.close()
        self._listener.close()


@contextmanager
def stub(*scripts: list[bytes | Callable[[socket.socket], None]], close: bool = True) -> Iterator[Stub]:
    server = Stub(*scripts, close=close)
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def client_of(
    url: str, headers: dict[str, str] | None = None, timeout_s: float = 5.0, **credentials: str
) -> Iterator[HttpClient]:
    client = HttpClient(Endpoint(url, **credentials), headers or {}, timeout_s)  # type: ignore[arg-type]
    try:
        yield client
    finally:
        client.close()


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


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5;a=1\r\ndefgh\r\n0\r\nLast: x\r\n\r\n"
)


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


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Certificate and key of a server on 127.0.0.1, signed by itself."""
    return self_signed(tmp_path_factory.mktemp("tls"))


@contextmanager
def secured(certificate: tuple[Path, Path]) -> Iterator[str]:
    """A server that speaks TLS and answers every request, one connection at a time."""
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            try:
                with context.wrap_socket(client, server_side=True) as tls:
                    while tls.recv(1 << 16):
                        tls.sendall(OK)
            except OSError:
                client.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"https://127.0.0.1:{listener.getsockname()[1]}"
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join()


def test_tls_with_a_trusted_certificate(certificate: tuple[Path, Path]) -> None:
    with secured(certificate) as url:
        client = HttpClient(Endpoint(url, ca_certs=certificate[0]), timeout_s=5)
        assert [client.post("/", b"") for _ in range(2)] == [b"fine"] * 2
        client.close()


def test_tls_with_a_certificate_of_nobody(certificate: tuple[Path, Path]) -> None:
    with (
        secured(certificate) as url,
        client_of(url) as client,
        pytest.raises(EngineError, match=r"not trusted.*CA_CERTS"),
    ):
        client.warm()


def test_tls_where_there_is_none() -> None:
    with (
        stub([b"HTTP/1.1 400 Bad Request\r\n\r\n"]) as server,
        client_of(server.url.replace("http", "https")) as client,
    ):
        server._request = lambda sock: sock.recv(1 << 16)  # type: ignore[method-assign]
        with pytest.raises(EngineError, match=r"no TLS.*http://"):
            client.warm()
