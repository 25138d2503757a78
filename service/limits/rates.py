"""How often each holder of a key may ask, by `limits`' sliding window: in any second (hour, ...) about so often."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, parse_many
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter


def read_rates(text: str) -> list[RateLimitItem]:
    """Rates as `100/second` or `100/second; 5000/hour`. Raises ValueError, which says what it must be."""
    try:
        rates = parse_many(text)
    except ValueError:
        rates = []
    if not rates or any(rate.amount < 1 for rate in rates):
        raise ValueError(f"must be such as 100/second, or 100/second; 5000/hour, got {text!r}")
    return rates


class Rates:
    """The rates that hold for each name on its own; each process counts for itself. Safe in several threads."""

    def __init__(self, text: str) -> None:
        self._rates = read_rates(text)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def take(self, name: str) -> int:
        """0 where this name may ask once more, which is counted; else in how many seconds it may."""
        for rate in self._rates:
            if not self._limiter.hit(rate, name):
                again = self._limiter.get_window_stats(rate, name).reset_time
                return max(1, math.ceil(again - time.time()))
        return 0
