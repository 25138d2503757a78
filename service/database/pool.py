"""Connections for reading: as many as there are threads that read at once, each used by one at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import Generic, Protocol, TypeVar

from service.database.errors import StoreError


class _Closable(Protocol):
    def close(self) -> None: ...


Connection = TypeVar("Connection", bound=_Closable)


class Pool(Generic[Connection]):
    """Keeps connections that `connect` makes. Where an error is raised in the use of one, it and those that are idle
    are closed: a server that has gone took them with it, and only the first call is to suffer for that.
    """

    def __init__(self, connect: Callable[[], Connection]) -> None:
        self._connect = connect
        self._idle: SimpleQueue[Connection] = SimpleQueue()
        self._closed = False

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """A connection of the caller's own. Raises StoreError once closed."""
        if self._closed:
            raise StoreError("the store is closed; start the service again")
        try:
            connection = self._idle.get_nowait()
        except Empty:
            connection = self._connect()
        try:
            yield connection
        except BaseException:
            connection.close()
            self._drain()
            raise
        self._idle.put(connection)
        if self._closed:
            self._drain()

    def close(self) -> None:
        """Closes what is idle; what is in use follows when it is given back."""
        self._closed = True
        self._drain()

    def _drain(self) -> None:
        while True:
            try:
                self._idle.get_nowait().close()
            except Empty:
                return
