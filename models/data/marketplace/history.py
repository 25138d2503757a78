"""What happened in the simulated marketplace as rows of events."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.marketplace.figures import EVENT_WEIGHTS
from models.data.marketplace.visits import Views

EVENTS = tuple(sorted(EVENT_WEIGHTS))
FAVOURITE, PURCHASE, VIEW = (EVENTS.index(event) for event in ("favourite", "purchase", "view"))

Ints = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class History:
    """m events in the order of time. users, items: int32[m]. events: int32[m], places in EVENTS. times_ms: int64[m].

    after_sale, again: events that are not here: of what had just been sold to another visitor, or favourites of what
    was the user's favourite already.
    """

    users: Ints
    items: Ints
    events: Ints
    times_ms: npt.NDArray[np.int64]
    after_sale: int = 0
    again: int = 0

    def __len__(self) -> int:
        return len(self.users)

    def sold_ms(self, listings: int) -> npt.NDArray[np.int64]:
        """int64[listings], when each was bought, -1 where it was not."""
        sold = np.full(listings, -1, np.int64)
        bought = self.events == PURCHASE
        sold[self.items[bought]] = self.times_ms[bought]
        return sold

    def take(self, rows: npt.NDArray[np.integer] | slice, *, after_sale: int = 0, again: int = 0) -> History:
        """These events; the numbers are added to those of what is not here."""
        return History(
            self.users[rows],
            self.items[rows],
            self.events[rows],
            self.times_ms[rows],
            self.after_sale + after_sale,
            self.again + again,
        )


def as_history(views: Iterable[Views], listings: int, most: int) -> History:
    """The first `most` events: none of a listing after its sale, no favourite of a user twice."""
    history = _events(list(views))
    sold = history.sold_ms(listings)[history.items]
    possible = (sold < 0) | (history.times_ms < sold) | (history.events == PURCHASE)
    history = history.take(np.flatnonzero(possible), after_sale=int((~possible).sum()))
    history = history.take(np.lexsort((history.items, history.users, history.times_ms)))
    favourites = np.flatnonzero(history.events == FAVOURITE)
    pairs = history.users[favourites].astype(np.int64) * listings + history.items[favourites]
    _, first = np.unique(pairs, return_index=True)
    kept = np.ones(len(history), np.bool_)
    kept[favourites] = False
    kept[favourites[first]] = True
    return history.take(np.flatnonzero(kept)[:most], again=int((~kept).sum()))


def _events(views: list[Views]) -> History:
    parts = [
        (seen.users[there], seen.listings[there], np.full(int(there.sum()), event, np.int32), moments[there])
        for seen in views
        for event, moments in (
            (VIEW, seen.times_ms),
            (FAVOURITE, seen.favourite_ms),
            (PURCHASE, seen.purchase_ms),
        )
        for there in (moments >= 0,)
    ]
    if not parts:
        nothing = np.empty(0, np.int32)
        return History(nothing, nothing, nothing, np.empty(0, np.int64))
    users, items, events, times_ms = (np.concatenate(column) for column in zip(*parts, strict=True))
    return History(users, items, events, times_ms)
