"""One connection of the HTTP client: a socket, and a parser of what comes from it."""

from __future__ import annotations

import socket
import ssl

import httptools

_RECEIVE_BYTES = 1 << 16


class ClosedError(OSError):
    """The server closed the connection before it sent a byte of the answer."""


class Answer:
    """What the parser finds in one answer after the other."""

    __slots__ = ("_framed", "_headed", "_parser", "_parts", "complete", "feed_data", "keep_alive", "status")

    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self.feed_data = self._parser.feed_data
        self.begin()

    def begin(self) -> None:
        self._parts: list[bytes] = []
        self.complete = self._headed = self._framed = self.keep_alive = False
        self.status = 0

    @property
    def body(self) -> bytes:
        return self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)

    def on_header(self, name: bytes, _: bytes) -> None:
        if len(name) in (14, 17) and name.lower() in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        self._headed = True

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # "go on", before the answer proper
            self.begin()
            return
        self.complete, self.status, self.keep_alive = True, status, self._parser.should_keep_alive()

    def end(self) -> None:
        """The server closed the connection: the end of a body without a length. Raises OSError of any other."""
        if not self._headed or self._framed:
            raise ConnectionError("closed in the middle of an answer")
        self.complete, self.status = True, self._parser.get_status_code()


class Connection:
    """A socket and the parser of what comes from it."""

    def __init__(self, sock: socket.socket) -> None:
        # No method of this object goes to the parser: a cycle would keep the socket open until it is collected.
        self._sock, self._answer = sock, Answer()

    def exchange(self, request: bytes) -> Answer:
        """Sends a request and reads the answer, which is good until the next call.

        Raises ClosedError, OSError (BlockingIOError or TimeoutError where nothing comes), HttpParserError.
        """
        answer, sock = self._answer, self._sock
        answer.begin()
        silent = True
        try:  # noqa: SIM105 - that is slower
            sock.sendall(request)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLEOFError):
            pass  # the answer may be there: why the server would not read on
        while not answer.complete:
            try:
                data = sock.recv(_RECEIVE_BYTES)
            except ConnectionResetError as error:
                if silent:
                    raise ClosedError(*error.args) from error
                raise
            if data:
                answer.feed_data(data)
                silent = False
            elif silent:
                raise ClosedError("closed without an answer")
            else:
                answer.end()
        return answer

    def close(self) -> None:
        self._sock.close()

    def __del__(self) -> None:
        self._sock.close()  # its client has gone
