"""Listings as they are shown, read from the truth and kept while they do not change."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from service.catalogue.listing import Listing
from service.catalogue.store import Store


class Shelf:
    """Safe to use from several threads."""

    def __init__(self, store: Store, most: int = 20_000) -> None:
        """most: how many listings are kept; those kept longest go first."""
        self._store, self._most = store, most
        self._kept: dict[int, Listing] = {}
        self._lock = threading.Lock()

    def show(self, numbers: Iterable[int], versions: Iterable[int]) -> dict[int, Listing]:
        """These listings by number, in the version that is known or a later one; without those gone since.

        Raises StoreError.
        """
        shown: dict[int, Listing] = {}
        missing = []
        for number, version in zip(numbers, versions, strict=True):
            kept = self._kept.get(number)
            if kept is not None and kept.version >= version:
                shown[number] = kept
            else:
                missing.append(number)
        if missing:
            read = self._store.by_number(missing)
            shown |= read
            with self._lock:
                for number, listing in read.items():
                    self._kept.pop(number, None)
                    self._kept[number] = listing
                while len(self._kept) > self._most:
                    del self._kept[next(iter(self._kept))]
        return shown
