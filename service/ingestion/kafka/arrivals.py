"""How long it takes from the making of a record until it can be found."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock

_MOST = 1000  # batches that are remembered while the index does not move; of older ones nothing is told


class Arrivals:
    """observe: takes seconds. Called from any thread."""

    def __init__(self, observe: Callable[[float], None], clock: Callable[[], float] = time.time) -> None:
        self._observe, self._clock = observe, clock
        self._written: deque[tuple[int, Sequence[int]]] = deque(maxlen=_MOST)
        self._searchable = 0
        self._lock = Lock()

    def written(self, seq: int, made_ms: Sequence[int]) -> None:
        """Records have been written, the last of them at this place of the outbox. made_ms: since 1970, of each."""
        with self._lock:
            if seq > self._searchable:
                self._written.append((seq, made_ms))
                return
        self._tell(made_ms)  # the index was faster than who wrote them

    def searchable(self, seq: int) -> None:
        """Everything up to this place is so."""
        shown: list[Sequence[int]] = []
        with self._lock:
            self._searchable = max(seq, self._searchable)
            while self._written and self._written[0][0] <= self._searchable:
                shown.append(self._written.popleft()[1])
        for made_ms in shown:
            self._tell(made_ms)

    def _tell(self, made_ms: Sequence[int]) -> None:
        now = self._clock()
        for at_ms in made_ms:
            self._observe(max(0.0, now - at_ms / 1000))  # another machine's clock may be ahead
