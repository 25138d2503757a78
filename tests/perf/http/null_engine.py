"""An engine that does no work: it answers with the first listings that it was given, whatever is asked."""

from __future__ import annotations

import numpy as np

from engines.base import Batch, Hits, Schema, Vectors
from engines.bruteforce.adapter import BruteForce
from engines.filters import Filter


class NullEngine(BruteForce):
    """Asked exactly it scans, as bruteforce does: whoever checks it finds what was written."""

    def create(self, schema: Schema) -> None:
        super().create(schema)
        self._hits = Hits(np.empty(0, np.int64), np.empty(0))

    def index(self, batch: Batch) -> None:
        super().index(batch)
        ids = self._store.ids.copy()
        self._hits = Hits(ids, np.linspace(1, 0, len(ids)))

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        if exact:
            return super().query(vector, k, where, exact=True)
        return Hits(self._hits.ids[:k], self._hits.scores[:k])
