"""Keeps what retrieval has made of the truth in step with it."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from service.catalogue.listing import Listing
from service.catalogue.store import Store
from service.indexing.following import Follower, Projection


class _Together:
    """Several projections as one."""

    def __init__(self, projections: Sequence[Projection]) -> None:
        self._projections = projections

    def apply(self, present: Sequence[Listing], removed: Sequence[int]) -> None:
        for projection in self._projections:
            projection.apply(present, removed)


class InStep:
    """Projections that are asked from any thread, and brought up with the store before they are."""

    def __init__(self, store: Store, projections: Sequence[Projection]) -> None:
        self._store, self._follower = store, Follower(store, _Together(projections))
        self._lock = threading.Lock()

    def catch_up(self) -> None:
        """Returns once everything that was acknowledged before the call is taken in. Raises StoreError.

        What another thread takes in is waited for. With nothing to do it costs one short question to the store, so that
        it can be asked at each request, which makes a sold listing disappear with the next one, in every process.
        """
        last = self._store.last_seq()
        while self._follower.applied < last:
            with self._lock:
                self._follower.advance()
