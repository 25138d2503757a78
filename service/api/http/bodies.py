"""What requests and answers consist of. Unknown members are refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType, field

from service.catalogue.checks import LONGEST_ID
from service.events.event import Kind

DEFAULT_K = 20
LATEST_MS = 253_402_300_799_999  # the end of the year 9999
Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_ID)]
Ids = list[Id]
# Of what is stored; see service.catalogue.checks.
StoredId = Annotated[
    str, Meta(min_length=1, max_length=LONGEST_ID, extra_json_schema={"format": "printable"})
]
Where = Annotated[
    dict[str, Any],
    Meta(
        description="A filter as in scenarios: {brand: Zara}, {size: [S, M]}, {price: {gte: 10, lt: 50}}, "
        "{colours: {all: [red, blue]}}, {size: {exists: true}}, and, or, not"
    ),
]
Mode = Literal["approximate", "exact", "auto"]


class Asking(Struct, forbid_unknown_fields=True, kw_only=True):
    """What every search takes.

    where: a filter in the syntax of scenarios. mode: auto searches exactly where few listings match. short: whether a
    filter that leaves fewer than k is widened (relax; the answer says how) or the answer is short.
    """

    k: Annotated[int, Meta(ge=1)] = DEFAULT_K
    where: Where | None = None
    mode: Mode = "auto"
    short: Literal["relax", "short"] = "relax"
    explain: bool = False
    seen: Ids = []
    own: Ids = []
    blocked: Ids = []
    blocked_sellers: Ids = []
    seller: Id | None = None
    variant: str = "default"


class Taken(Struct, forbid_unknown_fields=True):
    """A listing that a user took, and when: ms since 1970."""

    id: StoredId
    at_ms: Annotated[int, Meta(ge=0, le=LATEST_MS)] | None = None


class Recommendations(Asking, forbid_unknown_fields=True, kw_only=True):
    """Whom recommendations are for: a vector; or a user or a history, preferences, or both.

    user: an id that the model was published with, or of events. history: oldest first. preferences: words by category.
    """

    user: StoredId | None = None
    history: list[StoredId | Taken] | None = None
    preferences: dict[str, str | list[str]] = {}
    vector: list[float] | None = None


class Search(Asking, forbid_unknown_fields=True, kw_only=True):
    """A text, ranked by its words, by its vector, or by both fused."""

    text: Annotated[str, Meta(min_length=1, max_length=1000)]
    rank: Literal["text", "dense", "fused"] = "text"


class ShownHit(Struct, omit_defaults=True):
    """A hit. beyond: the fields of the conditions that it does not meet; explained: how each stage placed it."""

    id: str
    score: float
    version: int
    listed_at_ms: int
    attributes: Mapping[str, Any]
    details: Mapping[str, str]
    beyond: list[str] = []
    explained: dict[str, Any] | UnsetType = UNSET


class ShownRelaxation(Struct):
    """A step by which the filter was widened; where: the filter from then on."""

    field: str
    how: str
    where: dict[str, Any]


class Answer(Struct, omit_defaults=True, kw_only=True):
    """Hits, best first, and how they came about.

    mode: how the engine was asked. relaxed: how the filter was widened. fallback: why popular listings are served
    instead of the nearest. short: why there are fewer than k. words: whose index ranked words. removed: how many
    listings each rule removed, and with explain which. unused: what of the request could not be used, by kind.
    """

    request_id: str
    variant: str
    mode: str
    hits: list[ShownHit]
    stages_ms: dict[str, float]
    relaxed: list[ShownRelaxation] = []
    fallback: str = ""
    short: str = ""
    words: str = ""
    removed: dict[str, Any] = {}
    unused: dict[str, int] = {}


class Stored(Struct, omit_defaults=True):
    """What came of a write. searchable: whether it is known to be; only where that was waited for."""

    id: str
    version: int
    outcome: Literal["written", "unchanged", "removed"]
    searchable: bool | UnsetType = UNSET


class BulkResult(Struct, omit_defaults=True):
    """What came of a line, from 1: a problem, or the version that was written."""

    line: int
    id: str = ""
    version: int = 0
    outcome: Literal["written", "unchanged", "removed", ""] = ""
    problem: dict[str, Any] | UnsetType = UNSET


class BulkAnswer(Struct, omit_defaults=True):
    """What came of many. searchable: whether all that was written is; only where that was waited for."""

    lines: int
    failed: int
    results: list[BulkResult]
    searchable: bool | UnsetType = UNSET


class Event(Struct, forbid_unknown_fields=True):
    """What a user did with a listing, once for each id.

    id: the caller's, by which a repeated event is known. at_ms: ms since 1970, by the caller's clock. request_id: of
    the answer that showed the listing. position: its place there, from 1. An impression needs both.
    """

    id: StoredId
    kind: Kind = field(name="type")
    user: StoredId
    listing: StoredId
    at_ms: Annotated[int, Meta(ge=0, le=LATEST_MS)]
    request_id: StoredId | None = None
    position: Annotated[int, Meta(ge=1, le=1_000_000)] | None = None


class EventResult(Struct, omit_defaults=True):
    """What came of a line, from 1: a problem, or whether the event is new or was known already."""

    line: int
    id: str = ""
    outcome: Literal["recorded", "known", ""] = ""
    problem: dict[str, Any] | UnsetType = UNSET


class EventsAnswer(Struct):
    """What came of events, each on its own."""

    lines: int
    failed: int
    results: list[EventResult]


class ShownListing(Struct):
    """A listing as it is now. model: what made its vector, "" where it was given."""

    id: str
    version: int
    attributes: Mapping[str, Any]
    details: Mapping[str, str]
    model: str
    listed_at_ms: int
    updated_at_ms: int
    vector: list[float] | UnsetType = UNSET


class ShownValue(Struct):
    """A value of a field, and how many listings have it."""

    value: str | bool
    count: int


class ShownFacet(Struct, omit_defaults=True):
    """What a field holds. values: the commonest keywords, tags or booleans; others: how many further ones there are.
    least, greatest: of numbers. missing: how many listings have no value.
    """

    kind: str
    values: list[ShownValue] = []
    others: int = 0
    least: float | None = None
    greatest: float | None = None
    missing: int = 0


class Facets(Struct):
    """The fields of the listings on sale, by name. listings: how many there are."""

    listings: int
    fields: dict[str, ShownFacet]


class ShownUser(Struct):
    """An example of a user. taken: how many listings they took; history: the last of them, the oldest first."""

    id: str
    taken: int
    history: list[str]


class Users(Struct):
    """Users that recommendations can be asked for by id. total: how many there are."""

    total: int
    users: list[ShownUser]


def to_json(value: Any) -> bytes:
    """Compact JSON in UTF-8."""
    return _ENCODER.encode(value)


_ENCODER = msgspec.json.Encoder()
