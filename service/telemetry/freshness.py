"""How long writes take from being durable to being searchable, without anybody waiting for them."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Lock

_MOST = 10_000  # writes that are remembered while the index does not move; of older ones nothing is told


class Freshness:
    """observe: takes seconds. Called from any thread."""

    def __init__(
        self, observe: Callable[[float], None], clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._observe, self._clock = observe, clock
        self._durable: deque[tuple[int, float]] = deque(maxlen=_MOST)  # places in the outbox, and when
        self._searchable = 0
        self._lock = Lock()

    def durable(self, seq: int) -> None:
        """The writes up to this place of the outbox have been made."""
        now = self._clock()
        with self._lock:
            if seq > self._searchable:
                self._durable.append((seq, now))
                return
        self._observe(0.0)  # the index was faster than who wrote it

    def searchable(self, seq: int) -> None:
        """Everything up to this place is so."""
        now = self._clock()
        with self._lock:
            self._searchable = max(seq, self._searchable)
            shown = [at for place, at in self._durable if place <= seq]
            if shown:
                kept = [(place, at) for place, at in self._durable if place > seq]
                self._durable.clear()
                self._durable.extend(kept)
        for at in shown:
            self._observe(max(0.0, now - at))
