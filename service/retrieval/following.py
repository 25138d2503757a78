"""Keeps what is derived from the truth at what its outbox says."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

from service.catalogue.listing import Listing
from service.catalogue.store import Store

_AT_ONCE = 1000  # changes


class Derived(Protocol):
    """Something made of the listings, such as `Stock` or `WordIndex`."""

    def apply(self, changed: Sequence[Listing], removed: Sequence[int] = ()) -> None:
        """Takes in listings as they are now, and takes out those that are no longer there. May be repeated."""


class Follower:
    """seq: how far along the outbox it is."""

    def __init__(self, store: Store, derived: Sequence[Derived]) -> None:
        self.seq = 0
        self._store, self._derived = store, derived
        self._lock = threading.Lock()

    def catch_up(self) -> None:
        """Returns once everything that was acknowledged before the call is taken in. Raises StoreError.

        What another thread takes in is waited for. With nothing to do it costs one short question to the store, so that
        it can be asked at each request, which makes a sold listing disappear with the next one, in every process.
        """
        last = self._store.last_seq()
        while self.seq < last:
            with self._lock:
                rows = self._store.changes_after(self.seq, _AT_ONCE)
                if not rows:
                    return  # what was last changed has been changed again since, and moved beyond what we know of
                present = self._store.by_number(row.number for row in rows if not row.removed)
                gone = [row.number for row in rows if row.number not in present]
                for one in self._derived:
                    one.apply(list(present.values()), gone)
                self.seq = rows[-1].seq
