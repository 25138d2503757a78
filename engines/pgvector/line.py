"""One connection to PostgreSQL that is asked without waiting: libpq's own functions that never block."""

from __future__ import annotations

import select
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import psycopg
from psycopg import pq

from engines.base import EngineError
from engines.pgvector.connection import CONNECT_TIMEOUT_S, DONE, NEW, Sessions, conninfo, failure

Answer = pq.abc.PGresult | EngineError
_BINARY = pq.Format.BINARY
_IN, _OUT = select.EPOLLIN, select.EPOLLOUT


@dataclass(frozen=True, slots=True)
class Request:
    """A statement with parameters. prepare: keep it, as `Session.execute` does."""

    token: int
    statement: str
    values: Sequence[bytes]
    prepare: bool
    deadline_s: float


class Line:
    """Methods raise psycopg's errors where the connection is lost or cannot be had.

    opened: whether it can be asked. request: what is being asked. events: those of epoll that `advance` waits for.
    """

    def __init__(self, sessions: Sessions) -> None:
        """Begins to connect. sessions: give the address, and the settings of every connection."""
        self._sessions = sessions
        self._pgconn = pq.PGconn.connect_start(conninfo(sessions.endpoint).encode())
        if self._pgconn.status == pq.ConnStatus.BAD:
            raise self._broken()
        self.opened, self.events, self.deadline_s = False, _OUT, time.monotonic() + CONNECT_TIMEOUT_S
        # Kept by whoever watches it: the file descriptor and the events that epoll has.
        self.number = self.watched = -1
        self.request: Request | None = None
        # What has to be sent yet, each after the last is over.
        self._steps: deque[Callable[[], None]] = deque()
        self._result: pq.abc.PGresult | None = None
        self._version = NEW  # of its settings
        self._prepared: dict[str, bytes] = {}

    def fileno(self) -> int:
        """Its socket. While it is being opened, each `advance` may take another."""
        return self._pgconn.socket

    def _broken(self) -> psycopg.OperationalError:
        return psycopg.OperationalError(self._pgconn.get_error_message())

    def ask(self, request: Request) -> None:
        """Sends a request, and before it what its connection lacks: settings, the prepared statement."""
        self.request, self.deadline_s = request, request.deadline_s
        if wanted := self._sessions.wanted(self._version):
            self._steps.append(lambda: self._pgconn.send_query(wanted.encode()))
            self._version = self._sessions.version
        if request.prepare and request.statement not in self._prepared:
            self._steps.append(self._prepare)
        self._steps.append(self._execute)
        self._next_step()

    def _prepare(self) -> None:
        assert self.request is not None
        self._pgconn.send_prepare(b"s%d" % len(self._prepared), self.request.statement.encode())

    def _execute(self) -> None:
        assert self.request is not None
        statement, values = self.request.statement, self.request.values
        formats = [_BINARY] * len(values)
        if not self.request.prepare:
            self._pgconn.send_query_params(statement.encode(), values, None, formats, _BINARY)
            return
        name = self._prepared.setdefault(statement, b"s%d" % len(self._prepared))
        self._pgconn.send_query_prepared(name, values, formats, _BINARY)

    def _next_step(self) -> None:
        self._steps.popleft()()
        self._flush()

    def _flush(self) -> None:
        """Sends what the socket takes; the rest when it takes more."""
        self.events = _IN | _OUT if self._pgconn.flush() else _IN

    def advance(self, events: int) -> Answer | None:
        """Takes in what has come and goes on with what that allows; the answer to the request, once it is whole."""
        if not self.opened:
            self._open_further()
            return None
        if events & _OUT:
            self._flush()
        if events & ~_OUT:
            self._pgconn.consume_input()
            while not self._pgconn.is_busy():
                result = self._pgconn.get_result()
                if result is None:
                    return self._step_over()
                self._result = result
        return None

    def _open_further(self) -> None:
        status = self._pgconn.connect_poll()
        if status == pq.PollingStatus.FAILED:
            raise self._broken()
        self.events = _OUT if status == pq.PollingStatus.WRITING else _IN
        if status == pq.PollingStatus.OK:
            self._pgconn.nonblocking, self.opened = 1, True

    def _step_over(self) -> Answer | None:
        if self._pgconn.status != pq.ConnStatus.OK:
            raise self._broken()
        result, self._result = self._result, None
        if result is None:  # it was idle, and the server had something to tell
            return None
        fine = result.status in DONE
        if fine and self._steps:
            self._next_step()
            return None
        if self._steps:
            self._version = NEW  # a step before the query failed: the next request makes the settings again
            self._steps.clear()
        self.request = None
        return result if fine else failure(psycopg.errors.error_from_result(result))

    def close(self) -> None:
        """Closes the connection; what is asked is never answered."""
        self._pgconn.finish()
