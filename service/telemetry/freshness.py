"""How long it takes until what is written is searchable, without anybody waiting for it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock


class Freshness:
    """observe: takes seconds. clock: in seconds, as are the times that it is told. most: batches of writes that are
    remembered while the index does not move; of older ones nothing is told. Called from any thread.
    """

    def __init__(
        self,
        observe: Callable[[float], None],
        clock: Callable[[], float] = time.perf_counter,
        most: int = 10_000,
    ) -> None:
        self._observe, self._clock = observe, clock
        self._durable: deque[tuple[int, Sequence[float]]] = deque(maxlen=most)  # places in the outbox
        self._searchable = 0
        self._lock = Lock()

    def durable(self, seq: int, since: Sequence[float] = ()) -> None:
        """The writes up to this place of the outbox have been made. since: when each began to count; now, if empty."""
        since = since or (self._clock(),)
        with self._lock:
            if seq > self._searchable:
                self._durable.append((seq, since))
                return
        self._tell(since)  # the index was faster than who wrote it

    def searchable(self, seq: int) -> None:
        """Everything up to this place is so."""
        with self._lock:
            self._searchable = max(seq, self._searchable)
            shown = [since for place, since in self._durable if place <= seq]
            if shown:
                kept = [(place, since) for place, since in self._durable if place > seq]
                self._durable.clear()
                self._durable.extend(kept)
        for since in shown:
            self._tell(since)

    def _tell(self, since: Sequence[float]) -> None:
        now = self._clock()
        for at in since:
            self._observe(max(0.0, now - at))  # another machine's clock may be ahead
