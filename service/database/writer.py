"""One thread that writes for many callers: what has come in while it committed shares the next commit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Generic, TypeVar

from service.database.errors import StoreError

_LARGEST = 1000  # changes in a commit, unless one caller brings more: nobody waits for a whole import

Item = TypeVar("Item")
Result = TypeVar("Result")


@dataclass(slots=True)
class _Request(Generic[Item, Result]):
    items: Sequence[Item]
    results: Future[list[Result]] = field(default_factory=Future)


class GroupedWriter(Generic[Item, Result]):
    """Hands items to `transact` in the order in which they come, those of a caller always together.

    transact: makes all or none of the items durable and returns a result for each; called from one thread only.
    commits: how often it has been called.
    """

    def __init__(self, transact: Callable[[Sequence[Item]], list[Result]]) -> None:
        self._transact = transact
        self._requests: SimpleQueue[_Request[Item, Result] | None] = SimpleQueue()
        self._closed, self._closing = False, Lock()
        self.commits = 0
        self._thread = Thread(target=self._run, name="store-writer", daemon=True)
        self._thread.start()

    def write(self, items: Sequence[Item]) -> list[Result]:
        """Returns once the items are durable. Raises what `transact` raised, and StoreError once closed."""
        request: _Request[Item, Result] = _Request(items)
        with self._closing:
            if self._closed:
                raise StoreError("the store is closed, nothing was written; start the service again")
            self._requests.put(request)
        return request.results.result()

    def close(self) -> None:
        """Writes what has been handed in and ends the thread; a second call does nothing."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._requests.put(None)
        self._thread.join()

    def _run(self) -> None:
        last = False
        while not last:
            request = self._requests.get()
            if request is None:
                return
            group, size = [request], len(request.items)
            while size < _LARGEST:
                try:
                    request = self._requests.get_nowait()
                except Empty:
                    break
                if request is None:
                    last = True
                    break
                group.append(request)
                size += len(request.items)
            self._commit(group)

    def _commit(self, group: list[_Request[Item, Result]]) -> None:
        self.commits += 1
        try:
            results = self._transact([item for request in group for item in request.items])
        except BaseException as error:  # noqa: BLE001 - it belongs to the callers, and the thread goes on
            if len(group) > 1 and not isinstance(error, StoreError):
                for request in group:  # it may be one caller's fault: the others are not to suffer for it
                    self._commit([request])
                return
            for request in group:
                request.results.set_exception(error)
            return
        first = 0
        for request in group:
            request.results.set_result(results[first : first + len(request.items)])
            first += len(request.items)
