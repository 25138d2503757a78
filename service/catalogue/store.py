"""The protocol of a store of listings; SQLite and PostgreSQL follow it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from service.catalogue.listing import Change, Listing, OutboxRow, Outcome
from service.catalogue.schema import CatalogueSchema
from service.database.database import Exclusive


class Store(Protocol):
    """The source of truth. Its methods block, and may be called from any number of threads.

    Every method raises StoreError. The outbox holds the last change of each listing, removals included, in the order
    of commits: who follows it from the start is given everything, and who follows it on misses nothing.
    """

    schema: CatalogueSchema
    place: str  # by which `open_store` opens it again; it may hold a password

    def write(self, changes: Sequence[Change]) -> list[Outcome]:
        """Makes the changes in order, all or (on an error) none, and returns once they are durable.

        Changes of several callers share a transaction. Late versions never undo newer ones.
        """

    def get(self, ids: Iterable[str], *, removed: bool = False) -> dict[str, Listing]:
        """The listings with these ids that there are; with `removed` also those that were, as they were last."""

    def known(self, ids: Iterable[str]) -> set[str]:
        """Which of these ids are a listing's that is there or was, or whose removal came before it."""

    def by_number(self, numbers: Iterable[int]) -> dict[int, Listing]:
        """The listings with these numbers that there are."""

    def scan(self, after: int = -1, limit: int = 1000) -> list[Listing]:
        """The listings with the lowest numbers above `after`, ascending."""

    def count(self) -> int:
        """How many listings there are."""

    def changes_after(self, seq: int, limit: int = 1000) -> list[OutboxRow]:
        """The outbox beyond a place in it, in order."""

    def last_seq(self) -> int:
        """The place of the last change; 0 before the first."""

    def meta(self, key: str) -> str | None:
        """A note kept beside the listings, such as which collection is live."""

    def set_meta(self, key: str, value: str) -> None:
        """Keeps a note, durable once this returns."""

    def notes(self, keys: Sequence[str]) -> dict[str, str]:
        """Those of these notes that there are, as of one moment."""

    def replace_meta(self, key: str, before: str | None, after: str) -> bool:
        """Keeps a note if it still is `before` (None: there is none yet); whether it was. Durable once this returns."""

    def exclusive(self) -> Exclusive | None:
        """What one process at a time may have of all that share this store, on whichever machines they are.

        None where only processes of one machine can share it, which have its files' locks for that.
        """

    def subscribe(self, notify: Callable[[int], None]) -> None:
        """Has `notify`, which must be quick, called with the place of the last change after each commit here."""

    def close(self) -> None:
        """Finishes the writes under way and lets go; a second call does nothing. Later calls raise StoreError."""
