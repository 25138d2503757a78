"""The outbox applied to a projection of the catalogue, page by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from service.catalogue.listing import Listing
from service.catalogue.store import Store

PAGE = 1000


class Projection(Protocol):
    """Something derived from the listings, such as an engine's collection or an index of words."""

    def apply(self, present: Sequence[Listing], removed: Sequence[int]) -> None:
        """Makes it hold these listings as they are, and not the removed numbers; doing it again changes nothing."""


class Follower:
    """Keeps a projection up with a store. applied: the place in the outbox up to which it has been."""

    def __init__(self, store: Store, projection: Projection, applied: int = 0) -> None:
        self._store, self._projection = store, projection
        self.applied = applied

    def advance(self, limit: int = PAGE) -> int:
        """Applies the next changes and returns how many; 0 if there are none.

        What is applied is how the listings are now, which may be later than the change: that one then comes again.
        Raises what store and projection raise, and then has not moved.
        """
        rows = self._store.changes_after(self.applied, limit)
        if not rows:
            return 0
        present = self._store.by_number([row.number for row in rows if not row.removed])
        gone = [row.number for row in rows if row.number not in present]
        self._projection.apply(list(present.values()), gone)
        self.applied = rows[-1].seq
        return len(rows)

    def catch_up(self, seq: int, stopped: Callable[[], bool] = lambda: False) -> None:
        """Advances until it has been at `seq`, or until `stopped` says so."""
        while self.applied < seq and not stopped() and self.advance():
            pass
