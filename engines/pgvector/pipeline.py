"""Queries to PostgreSQL without waiting for their answers: many in flight, each on a connection of its own."""

from __future__ import annotations

import os
import select
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import psycopg

from engines.pgvector.connection import CONNECT_TIMEOUT_S, Sessions, failure, unreachable
from engines.pgvector.line import Answer, Line, Request
from engines.server.endpoint import REQUEST_TIMEOUT_S
from engines.server.pipelined import AT_ONCE

# A connection is a process of the server, which takes 100 of them unless told otherwise, from all its clients.
MOST_CONNECTIONS = 48
_LOOK_S = 0.1  # how often time limits are looked at


class Pipeline:
    """At most `most` queries are in the server; the others wait here, in order. For one thread."""

    def __init__(
        self, sessions: Sessions, *, most: int = MOST_CONNECTIONS, timeout_s: float = REQUEST_TIMEOUT_S
    ) -> None:
        """No I/O. sessions: give the address, and the settings of every connection. timeout_s: of a query."""
        self._sessions, self._most, self._timeout_s = sessions, most, timeout_s
        self._waiting: deque[Request] = deque()
        self._lines: dict[int, Line] = {}  # by the file descriptor that epoll knows
        self._idle: list[Line] = []
        self._opening = 0
        self._ended: list[tuple[int, Answer]] = []
        self._look_s = 0.0
        self._poll = select.epoll()
        self._waker = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll.register(self._waker, select.EPOLLIN)  # for failures that no connection tells of

    def fileno(self) -> int:
        """Readable when `collect` may have something."""
        return self._poll.fileno()

    def send(self, token: int, statement: str, values: Sequence[bytes], prepare: bool) -> None:
        """Sends a query on a connection that is free, or has it wait for one. Failures come from `collect`."""
        deadline_s = time.monotonic() + self._timeout_s
        self._waiting.append(Request(token, statement, values, prepare, deadline_s))
        self._dispatch()
        if self._ended:
            os.eventfd_write(self._waker, 1)

    def collect(self) -> list[tuple[int, Answer]]:
        """Some of the results, or errors, that have come in, each with its token. Never waits."""
        for number, events in self._poll.poll(0, AT_ONCE):
            line = self._lines.get(number)
            if line is None:
                os.eventfd_read(self._waker)
            else:
                self._advance(line, events)
        if time.monotonic() >= self._look_s:
            self._give_up()
        self._dispatch()
        ended, self._ended = self._ended, []
        return ended

    def _dispatch(self) -> None:
        """Connections that are idle take what waits; more are opened while more waits than that."""
        while self._waiting and self._idle:
            line = self._idle.pop()
            try:
                line.ask(self._waiting.popleft())
            except psycopg.Error as error:
                self._lost(line, error)
            else:
                self._watch(line)
        while self._opening < len(self._waiting) and len(self._lines) < self._most:
            try:
                line = Line(self._sessions)
            except psycopg.Error as error:
                self._unopened(error)
            else:
                self._opening += 1
                self._register(line)

    def _advance(self, line: Line, events: int) -> None:
        opened, request = line.opened, line.request
        try:
            answer = line.advance(events)
        except psycopg.Error as error:
            self._lost(line, error)
            return
        if opened:
            self._watch(line)
        else:  # its socket may have become another
            self._forget(line)
            self._register(line)
            if line.opened:
                self._opening -= 1
                self._idle.append(line)
        if answer is not None and request is not None:
            self._ended.append((request.token, answer))
            self._idle.append(line)

    def _register(self, line: Line) -> None:
        line.number, line.watched = line.fileno(), line.events
        self._poll.register(line.number, line.events)
        self._lines[line.number] = line

    def _watch(self, line: Line) -> None:
        if line.events != line.watched:
            self._poll.modify(line.number, line.events)
            line.watched = line.events

    def _forget(self, line: Line) -> None:
        del self._lines[line.number]
        with suppress(OSError):  # libpq may have closed the socket, and epoll knows none that is closed
            self._poll.unregister(line.number)

    def _lost(self, line: Line, error: psycopg.Error) -> None:
        """A connection is gone: its request has failed, and the next that needs one opens another."""
        self._forget(line)
        line.close()
        if not line.opened:
            self._opening -= 1
            self._unopened(error)
        elif line.request is not None:
            self._ended.append((line.request.token, failure(error)))
        else:
            self._idle.remove(line)

    def _unopened(self, error: psycopg.Error) -> None:
        """A connection that cannot be had costs the request that has waited longest, if one still does."""
        if self._waiting:
            self._ended.append((self._waiting.popleft().token, unreachable(error, self._sessions.endpoint)))

    def _give_up(self) -> None:
        """Ends what has taken too long."""
        now_s = time.monotonic()
        self._look_s = now_s + _LOOK_S
        late = _unanswered(self._timeout_s)
        while self._waiting and self._waiting[0].deadline_s <= now_s:
            self._ended.append((self._waiting.popleft().token, failure(late)))
        for line in list(self._lines.values()):
            if line.deadline_s <= now_s and (line.request is not None or not line.opened):
                self._lost(line, late if line.opened else _unanswered(CONNECT_TIMEOUT_S))

    def close(self) -> None:
        """Closes every connection; what is in flight is never answered."""
        for line in self._lines.values():
            line.close()
        self._lines.clear()
        self._idle.clear()
        self._waiting.clear()
        self._poll.close()
        os.close(self._waker)


def _unanswered(seconds: float) -> psycopg.OperationalError:
    return psycopg.OperationalError(f"no answer for {seconds:g} s")
