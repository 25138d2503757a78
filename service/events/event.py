"""Events, and what comes of recording them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Literal, get_args

from engines.values.shown import shown

Kind = Literal["impression", "click", "favourite", "purchase"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TAKEN: tuple[Kind, ...] = (
    "click",
    "favourite",
    "purchase",
)  # of what the user wanted; the rest was only shown


@dataclass(frozen=True, slots=True)
class Event:
    """What a user did with a listing.

    id: the caller's, one an event, by which a repeated event is known. user, listing: their ids. at_ms: when, in ms
    since 1970, by the caller's clock. request_id: of the answer that showed the listing. position: in which place,
    from 1. An impression has both.
    """

    id: str
    kind: Kind
    user: str
    listing: str
    at_ms: int
    request_id: str | None = None
    position: int | None = None

    def differences(self, other: Event) -> Iterator[str]:
        """What of another event is not as it is here."""
        for field in fields(self):
            mine, its = getattr(self, field.name), getattr(other, field.name)
            if mine != its:
                yield f"{field.name} {shown(its)}, not {shown(mine)}"


@dataclass(frozen=True, slots=True)
class Recorded:
    """What came of an event. held: what is recorded under its id, which another event may have been first to take.

    new: whether this event is what was recorded; otherwise it was there before.
    """

    held: Event
    new: bool
