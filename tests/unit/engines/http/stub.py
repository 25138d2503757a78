"""Sockets that answer an HTTP client as they are told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from engines.http.client import HttpClient
from engines.server.endpoint import Endpoint

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5;a=1\r\ndefgh\r\n0\r\nLast: x\r\n\r\n"
)


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
