"""Queries over gRPC without waiting for their answers: many in flight on one channel."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock
from typing import Any

import grpc  # type: ignore[import-untyped]

from engines.base import EngineError
from engines.server.pipelined import AT_ONCE

Explained = Callable[[grpc.RpcError], EngineError]
Metadata = Sequence[tuple[str, str]]


class Pipeline:
    """Calls of one method in flight. For one thread; what comes in is handed over by a thread of gRPC's own."""

    def __init__(self, call: Any, explained: Explained, metadata: Metadata, timeout_s: float) -> None:
        """No I/O.

        call: a unary call without a deserializer, so that answers are read by the thread that collects them.
        explained: the error of a call that failed. metadata and timeout_s: of every call.
        """
        self._call, self._explained = call, explained
        self._options = {"metadata": metadata, "timeout": timeout_s}
        self._calls: dict[int, Any] = {}  # in flight, by token
        self._over: deque[tuple[int, Any]] = deque()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._rung = False  # whether `fileno` is readable, or about to be
        self._lock = Lock()  # held to ring and to close: the number of a closed bell may be another file's

    def fileno(self) -> int:
        """Readable when `collect` may have something."""
        return self._bell

    def send(self, token: int, request: Any) -> None:
        """Begins a call and returns."""
        call = self._calls[token] = self._call.future(request, **self._options)
        call.add_done_callback(partial(self._ended, token))

    def _ended(self, token: int, call: Any) -> None:
        """Called by gRPC, on its thread."""
        self._over.append((token, call))
        with self._lock:
            if not self._rung and self._bell >= 0:
                self._rung = True
                os.eventfd_write(self._bell, 1)

    def collect(self) -> list[tuple[int, Any]]:
        """At most AT_ONCE answers, or EngineErrors, that have come in, each with its token. Never waits."""
        with self._lock:
            if self._rung and len(self._over) <= AT_ONCE:
                os.eventfd_read(self._bell)
                self._rung = False
        found: list[tuple[int, Any]] = []
        while self._over and len(found) < AT_ONCE:
            token, call = self._over.popleft()
            del self._calls[token]
            try:
                found.append((token, call.result()))
            except grpc.RpcError as error:
                found.append((token, self._explained(error)))
        return found

    def close(self) -> None:
        """Cancels what is in flight; a second call does nothing."""
        with self._lock:
            if self._bell >= 0:
                os.close(self._bell)
                self._bell = -1
        for call in self._calls.values():
            call.cancel()
        self._calls.clear()
