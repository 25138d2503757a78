"""Queries over HTTP without waiting for their answers: many in flight, each on a connection of its own, one thread."""

from __future__ import annotations

import select
import socket
import ssl
import time
from dataclasses import dataclass, field

import httptools

from engines.base import EngineError
from engines.http.client import HttpClient, HttpError
from engines.http.connection import Response
from engines.server.pipelined import AT_ONCE

_RECEIVE_BYTES = 1 << 16
_NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


@dataclass(slots=True)
class _Line:
    """A connection and the request that is on it. kept: it has carried one before."""

    sock: socket.socket
    answer: Response = field(default_factory=Response)
    received: list[bytes] = field(default_factory=list)
    token: int = 0
    target: str = ""
    request: bytes = b""
    unsent: memoryview = field(default_factory=lambda: memoryview(b""))
    deadline_s: float = 0.0
    kept: bool = False


class Pipeline:
    """Requests in flight to one server. For one thread."""

    def __init__(self, client: HttpClient) -> None:
        """No I/O. client: gives address, headers and time-outs, and counts the retries."""
        self._client = client
        self._poll = select.epoll()
        self._idle: list[_Line] = []
        self._busy: dict[int, _Line] = {}  # by file descriptor, oldest first
        self._failed: list[tuple[int, EngineError]] = []
        self._waker = socket.socketpair()  # makes `fileno` readable for failures without a connection
        self._poll.register(self._waker[0], select.EPOLLIN)

    def fileno(self) -> int:
        """Readable when `collect` may have something."""
        return self._poll.fileno()

    def send(self, token: int, target: str, body: bytes) -> None:
        """Sends a POST and returns. Raises EngineError where no connection can be had."""
        line = self._idle.pop() if self._idle else self._opened()
        line.token, line.target = token, target
        line.request = self._client.request("POST", target, body)
        line.deadline_s = time.monotonic() + self._client.timeout_s
        self._begin(line)

    def _opened(self) -> _Line:
        sock = self._client.connect()
        sock.setblocking(False)
        return _Line(sock)

    def _begin(self, line: _Line) -> None:
        line.answer.begin()
        line.received.clear()
        line.unsent = memoryview(line.request)
        number = line.sock.fileno()
        self._busy[number] = line
        self._poll.register(number, select.EPOLLIN)
        self._push(line)

    def _push(self, line: _Line) -> None:
        """Sends what the socket takes; the rest when it takes more."""
        try:
            while line.unsent:
                line.unsent = line.unsent[line.sock.send(line.unsent) :]
        except _NOT_YET:
            pass
        except OSError:
            line.unsent = memoryview(b"")  # the server may have answered why it reads no further
        events = select.EPOLLIN | (select.EPOLLOUT if line.unsent else 0)
        self._poll.modify(line.sock.fileno(), events)

    def collect(self) -> list[tuple[int, bytes | EngineError]]:
        """Some of the bodies, or errors, that have come in, each with its token. Never waits.

        A request whose connection the server had closed while it was idle is sent again, once, and counted.
        """
        done: list[tuple[int, bytes | EngineError]] = []
        for number, events in self._poll.poll(0, AT_ONCE):
            line = self._busy.get(number)
            if line is None:
                self._waker[0].recv(_RECEIVE_BYTES)
                continue
            if events & select.EPOLLOUT and line.unsent:
                self._push(line)
            if events & ~select.EPOLLOUT:
                self._pull(line, done)
        now_s = time.monotonic()
        for line in list(self._busy.values()):
            if line.deadline_s > now_s:
                break
            self._drop(line)
            done.append((line.token, self._client.explained(TimeoutError(), line.target)))
        done += self._failed
        self._failed.clear()
        return done

    def _pull(self, line: _Line, done: list[tuple[int, bytes | EngineError]]) -> None:
        try:
            while not line.answer.complete:
                data = line.sock.recv(_RECEIVE_BYTES)
                if data:
                    line.received.append(data)
                    line.answer.feed_data(data)
                elif line.received:
                    line.answer.end(b"".join(line.received))
                else:
                    raise ConnectionResetError("closed without an answer")
        except _NOT_YET:
            return
        except (OSError, httptools.HttpParserError) as error:
            self._lost(line, error)
            return
        done.append((line.token, self._finished(line)))

    def _finished(self, line: _Line) -> bytes | EngineError:
        status, body = line.answer.status, line.answer.body
        if line.answer.keep_alive:
            self._forget(line)
            line.kept = True
            self._idle.append(line)
        else:
            self._drop(line)
        if 200 <= status < 300:
            return body
        return HttpError(self._client.url_of(line.target), status, body)

    def _lost(self, line: _Line, error: Exception) -> None:
        """Sends a request again if its connection had been closed while idle; else records the failure."""
        again = line.kept and not line.received and isinstance(error, OSError)
        self._drop(line)
        try:
            if not again:
                raise self._client.explained(error, line.target)
            self._client.count_retry()
            fresh = self._opened()
            fresh.token, fresh.target, fresh.request = line.token, line.target, line.request
            fresh.deadline_s = line.deadline_s
            self._begin(fresh)
        except EngineError as failure:
            self._failed.append((line.token, failure))
            self._waker[1].send(b"!")

    def _forget(self, line: _Line) -> None:
        number = line.sock.fileno()
        self._poll.unregister(number)
        del self._busy[number]

    def _drop(self, line: _Line) -> None:
        self._forget(line)
        line.sock.close()

    def close(self) -> None:
        """Closes every connection; what is in flight is never answered."""
        for line in [*self._busy.values(), *self._idle]:
            line.sock.close()
        self._busy.clear()
        self._idle.clear()
        self._poll.close()
        for end in self._waker:
            end.close()
