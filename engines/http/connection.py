"""One connection of the HTTP client: a socket, and a parser of the answers."""

from __future__ import annotations

import re
import socket
import ssl

import httptools

_RECEIVE_BYTES = 1 << 16
_LENGTH = re.compile(rb"\r\n(content-length|transfer-encoding)[ \t]*:", re.IGNORECASE)


class ClosedError(OSError):
    """The server closed the connection before it sent a byte of the answer."""


class Response:
    """Collects what the parser finds, answer by answer. It has no callback for headers: each would cost a call."""

    __slots__ = ("_parser", "_parts", "complete", "feed_data", "keep_alive", "status")

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.feed_data = self._parser.feed_data
        self.begin()

    def begin(self) -> None:
        self._parts: list[bytes] = []
        self.complete = False

    @property
    def body(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        self.status = self._parser.get_status_code()
        if self.status < 200:  # 100 Continue: the actual answer follows
            self.begin()
            return
        self.complete, self.keep_alive = True, self._parser.should_keep_alive()

    def end(self, received: bytes) -> None:
        """The server closed the connection: the end of a body without a length. Raises OSError of any other."""
        head, separator, _ = received.partition(b"\r\n\r\n")
        if not separator or _LENGTH.search(head):
            raise ConnectionError("closed in the middle of an answer")
        self.complete, self.keep_alive, self.status = True, False, self._parser.get_status_code()


class Connection:
    """A socket and the parser of its answers."""

    def __init__(self, sock: socket.socket) -> None:
        # The parser gets no method of this object: the cycle would keep the socket open until it is collected.
        self._sock, self._answer = sock, Response()

    def exchange(self, request: bytes) -> Response:
        """Sends a request and reads the answer, which is good until the next call.

        Raises ClosedError, OSError (BlockingIOError or TimeoutError where nothing comes), HttpParserError.
        """
        answer, sock = self._answer, self._sock
        answer.begin()
        received: list[bytes] = []
        try:  # noqa: SIM105 - that is slower
            sock.sendall(request)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            pass  # the server may have answered why it reads no further
        while not answer.complete:
            try:
                data = sock.recv(_RECEIVE_BYTES)
            except ConnectionResetError as error:
                if received:
                    raise
                raise ClosedError(*error.args) from error
            if data:
                received.append(data)
                answer.feed_data(data)
            elif received:
                answer.end(b"".join(received))
            else:
                raise ClosedError("closed without an answer")
        return answer

    def close(self) -> None:
        self._sock.close()

    def __del__(self) -> None:
        self._sock.close()  # the client of this connection no longer exists
