"""The protocol of a store of events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from service.events.event import Event, Kind, Recorded


class EventStore(Protocol):
    """Its methods block, and may be called from any number of threads and processes. All raise StoreError."""

    def record(self, events: Sequence[Event]) -> list[Recorded]:
        """Records the events that are not here yet, all or (on an error) none; returns once they are durable.

        The first event with an id stays. Events of several callers share a transaction.
        """

    def history(self, user: str, kinds: Sequence[Kind], most: int) -> list[tuple[str, int]]:
        """The listings of a user's newest events of some kinds, each once and with its last moment, oldest first."""

    def since(self, at_ms: int, kinds: Sequence[Kind]) -> Iterator[list[Event]]:
        """All events of some kinds from a moment on, in order of time, some at once."""

    def close(self) -> None:
        """Finishes what is under way and lets go; a second call does nothing. Later calls raise StoreError."""
