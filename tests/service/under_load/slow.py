"""An engine of a known capacity: 20 ms a query, whatever the machine does."""

from __future__ import annotations

import time

from engines.base import Hits, Vectors
from engines.bruteforce.adapter import BruteForce
from engines.filters import Filter

QUERY_S = 0.02


class Slow(BruteForce):
    """Each query waits, and leaves the processor to others meanwhile."""

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        time.sleep(QUERY_S)
        return super().query(vector, k, where, exact=exact)
