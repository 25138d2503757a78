"""An engine that answers from half of its items for a second after each start, as one that is not filled yet would."""

from __future__ import annotations

import time

import numpy as np

from engines.base import Hits, Vectors
from engines.bruteforce.adapter import BruteForce
from engines.filters import Filter

HALF_S = 1.0


class HalfBuilt(BruteForce):
    """Correct afterwards."""

    _asked_s = 0.0

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        self._asked_s = self._asked_s or time.monotonic()
        hits = super().query(vector, k, where, exact=exact)
        if time.monotonic() - self._asked_s > HALF_S:
            return hits
        kept = np.asarray(hits.ids) % 2 == 0
        return Hits(np.asarray(hits.ids)[kept], np.asarray(hits.scores)[kept])
