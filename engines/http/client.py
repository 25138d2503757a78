"""HTTP/1.1 over persistent connections, as cheap as Python allows: the query path of engines that speak it.

Every other client costs a multiple of the socket below it (the figures are in the README of engines/elasticsearch),
and what the client costs is added to the latency of the engine that is measured.
"""

from __future__ import annotations

import socket
import ssl
import threading
from base64 import b64encode
from collections import deque
from collections.abc import Mapping
from struct import pack
from types import MappingProxyType
from urllib.parse import urlsplit
from weakref import WeakSet

import httptools

from engines.base import EngineError
from engines.http.connection import ClosedError, Connection
from engines.server.endpoint import REQUEST_TIMEOUT_S, Endpoint
from engines.server.pauses import pause_after_loss
from engines.server.redaction import redact

QUERY_PATH = "HTTP/1.1 on a bare socket, bodies put together from bytes"  # for `EngineStats`
CONNECT_TIMEOUT_S = 5.0
_READ, _SHOWN = 1 << 14, 500  # bytes read of an error's body; characters of it in the message
_NONE: Mapping[str, str] = MappingProxyType({})


class HttpError(EngineError):
    """The server answered with a status other than 2xx."""

    def __init__(self, url: str, status: int, body: bytes) -> None:
        remedy = "the credentials were refused: " if status in (401, 403) else ""
        # Credentials are removed before the text is cut: half of one would not be found.
        text = redact(" ".join(body[:_READ].decode("utf-8", "replace").split()))[:_SHOWN]
        super().__init__(f"{url}: {remedy}HTTP {status}: {text or 'no explanation'}")
        self.status = status
        self.body = body


class HttpClient:
    """Requests to one server, over as many connections as there are requests at once. Safe in threads; not to be
    used after a fork. Connections outlive the threads that opened them, so that a new window of load finds them open.

    retries: requests sent again because the server had closed the connection while it was idle.
    """

    def __init__(
        self, endpoint: Endpoint, headers: Mapping[str, str] = _NONE, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> None:
        """No I/O. headers: sent with each request, besides Authorization made from the endpoint's credentials.

        timeout_s: for how long the server may be silent. Raises EngineError for what cannot be a header.
        """
        self.retries = 0
        self._endpoint, self.timeout_s = endpoint, timeout_s
        self._prefix = urlsplit(endpoint.url).path.rstrip("/")
        self._headers = _head(endpoint, headers)
        self._tls: ssl.SSLContext | None = None
        self._lock = threading.Lock()
        self._forget()

    def _forget(self) -> None:
        self._idle: deque[Connection] = deque()
        self._connections: WeakSet[Connection] = WeakSet()

    def warm(self) -> None:
        """Opens a connection unless one is idle. Raises EngineError where that fails."""
        if not self._idle:
            self._idle.append(self._connect())

    def post(self, target: str, body: bytes) -> bytes:
        """The body of the answer to a POST. target: path and query, percent-encoded.

        A connection that the server has closed without a byte of an answer is opened again, once. Raises HttpError
        for a status other than 2xx, EngineError where there is no whole answer.
        """
        return self.send("POST", target, body)

    def send(self, method: str, target: str, body: bytes = b"") -> bytes:
        """The same for another method. Only for requests that may safely be carried out twice."""
        request = self.request(method, target, body)
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._ask(self._connect(), request, target, kept=False)
        try:
            return self._ask(connection, request, target, kept=True)
        except ClosedError:
            self.count_retry()
        return self._ask(self._connect(), request, target, kept=False)

    def request(self, method: str, target: str, body: bytes) -> bytes:
        """A request as it is sent."""
        head = f"{method} {self._prefix}{target} HTTP/1.1\r\n{self._headers}{len(body)}\r\n\r\n"
        return head.encode("ascii") + body

    def count_retry(self) -> None:
        """Notes that a request is sent again."""
        with self._lock:
            self.retries += 1

    def url_of(self, target: str) -> str:
        """The URL of a target, as messages show it."""
        return f"{self._endpoint.url}{target}"

    def _ask(self, connection: Connection, request: bytes, target: str, *, kept: bool) -> bytes:
        try:
            answer = connection.exchange(request)
        except (OSError, httptools.HttpParserError) as error:
            connection.close()
            if kept and isinstance(error, ClosedError):
                raise
            raise self.explained(error, target) from error
        except BaseException:
            connection.close()  # the answer is still under way
            raise
        status, body = answer.status, answer.body  # before another thread may use the connection
        if answer.keep_alive:
            self._idle.append(connection)
        else:
            connection.close()
        if not 200 <= status < 300:
            raise HttpError(self.url_of(target), status, body)
        return body

    def close(self) -> None:
        """Closes every connection; the next request opens one again."""
        with self._lock:
            connections = list(self._connections)
            self._forget()
        for connection in connections:
            connection.close()

    def explained(self, error: Exception, target: str) -> EngineError:
        """The error that reports a request without a complete answer."""
        url = self.url_of(target)
        if isinstance(error, BlockingIOError | TimeoutError):
            return EngineError(f"{url}: no answer for {self.timeout_s:g} s; is the server overloaded?")
        if isinstance(error, OSError):
            return EngineError(f"{url}: the connection broke ({error}); is the server still running?")
        return EngineError(f"{url}: the answer is no HTTP ({error}); is that the right port?")

    def _connect(self) -> Connection:
        sock = self.connect()
        connection = Connection(sock)
        with self._lock:
            self._connections.add(connection)
        return connection

    def connect(self) -> socket.socket:
        """A connected socket, over TLS where the address asks for it. Raises EngineError where that fails."""
        endpoint = self._endpoint
        try:
            port = endpoint.port(443 if endpoint.secure else 80)
            sock = socket.create_connection((endpoint.host, port), CONNECT_TIMEOUT_S)
        except OSError as error:
            pause_after_loss()
            raise EngineError(
                f"{endpoint.url}: no connection ({error}); is the server running, and is that its address?"
            ) from error
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if endpoint.secure:
            return self._secured(sock)
        # Python's own time-out asks poll() before each call; the kernel's costs nothing.
        sock.settimeout(None)
        timeval = pack("ll", int(self.timeout_s), int(self.timeout_s % 1 * 1e6))
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeval)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeval)
        return sock

    def _secured(self, sock: socket.socket) -> socket.socket:
        url = self._endpoint.url
        try:
            with self._lock:
                if self._tls is None:
                    self._tls = ssl.create_default_context(cafile=self._endpoint.ca_certs)
            secured = self._tls.wrap_socket(sock, server_hostname=self._endpoint.host)
        except ssl.SSLCertVerificationError as error:
            sock.close()
            raise EngineError(
                f"{url}: the certificate is not trusted ({error.verify_message}); name the file of its authority "
                "in BAKEOFF_<ENGINE>_CA_CERTS"
            ) from error
        except OSError as error:
            sock.close()
            raise EngineError(
                f"{url}: no TLS ({error}); does the server listen for http:// there?"
            ) from error
        secured.settimeout(self.timeout_s)
        return secured


def _head(endpoint: Endpoint, headers: Mapping[str, str]) -> str:
    """The header lines of every request, up to the value of the last one, Content-Length."""
    given = {"Host": urlsplit(endpoint.url).netloc, "Content-Type": "application/json"}
    if endpoint.api_key is not None:
        given["Authorization"] = f"ApiKey {endpoint.api_key}"
    elif endpoint.user is not None:
        given["Authorization"] = basic(endpoint.user, endpoint.password or "")
    for name, value in (given | dict(headers)).items():
        if not (value.isascii() and value.isprintable()):
            raise EngineError(
                f"{endpoint.url}: the header {name} must be printable ASCII; is there a stray line break?"
            )
    return (
        "".join(f"{name}: {value}\r\n" for name, value in (given | dict(headers)).items())
        + "Content-Length: "
    )


def basic(user: str, password: str) -> str:
    """The value of the Authorization header for a user and password (RFC 7617)."""
    return "Basic " + b64encode(f"{user}:{password}".encode()).decode()
