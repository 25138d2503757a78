"""Every route: its address, what it takes and gives, what key it needs, and what answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from service.api.http import bodies
from service.api.http.requests import ENTITY_TAG
from service.api.parts import Parts
from service.api.routes import asking, browsing, events, listings, operating
from service.api.schemas import VERSION, reference
from service.catalogue.checks import LONGEST_ID
from service.settings.keys import Scope
from service.telemetry.meters import MEDIA_TYPE

Handler = Callable[[Parts, Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Parameter:
    """One in the query (or, with place "header", in the headers). schema: JSON Schema; as_json: of the text as JSON."""

    name: str
    schema: Any
    about: str
    place: str = "query"
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of an address. scope: of the key that it needs, None where it needs none.

    body: what it takes, a struct, "listing" or "listings" for documents of the catalogue, "events" for one or many,
    None for nothing. answer: what it gives, None for an object that only people read, a media type for text or
    a picture. problems: kinds that are its own. links: names of operations that can be asked for the same
    listing next.
    """

    method: str
    path: str
    handler: Handler
    scope: Scope | None
    body: type | str | None = None
    answer: type | str | None = None
    parameters: tuple[Parameter, ...] = ()
    problems: tuple[str, ...] = ()
    links: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """In one word."""
        return self.handler.__name__

    @property
    def summary(self) -> str:
        """In a sentence."""
        return (self.handler.__doc__ or "").strip().splitlines()[0]


def _up_to(most: int, default: int) -> dict[str, Any]:
    return {"type": "integer", "minimum": 1, "maximum": most, "default": default}


_WAIT = Parameter(
    "wait",
    {"enum": list(listings.WAITS)},
    "acknowledged: the write is durable; searchable: and the index shows it, or the answer is 202",
)
_IF_MATCH = Parameter(
    "If-Match",
    {"type": "string", "pattern": ENTITY_TAG},
    'only if the listing has this version: "7"',
    "header",
)
_IF_NONE_MATCH = Parameter("If-None-Match", {"const": "*"}, "only if there is no such listing", "header")
_WRITE = (_WAIT, _IF_MATCH, _IF_NONE_MATCH)
_WRITTEN = ("invalid", "malformed", "conflict", "stale", "too-large", "media-type", "deadline")
_ASKED = ("invalid", "malformed", "too-large", "media-type", "deadline")
_VERSION = Parameter("version", VERSION, "of the caller's own clock; a late removal changes nothing")
_VECTOR = Parameter("vector", {"enum": ["false", "true"]}, "whether its vector is told, too")
_SIMILAR = (
    Parameter("k", {"type": "integer", "minimum": 1, "default": bodies.DEFAULT_K}, "how many"),
    Parameter("where", reference("Filter"), "a filter, as JSON", as_json=True),
    Parameter("mode", {"enum": ["approximate", "exact", "auto"]}, "how the index is asked"),
    Parameter("short", {"enum": ["relax", "short"]}, "what becomes of a filter that leaves fewer than k"),
    Parameter("explain", {"enum": ["true", "false"]}, "whether each hit says how it came about"),
    Parameter("variant", {"type": "string", "default": "default"}, "what serves the request"),
    Parameter(
        "seller",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_ID},
        "whose own listings are left out",
    ),
)
_HELD = Parameter(
    "If-None-Match",
    {"type": "string"},
    "the entity tag of a picture at hand: 304 where it is the same",
    "header",
)
_VALUES = Parameter("values", _up_to(browsing.MOST_VALUES, browsing.VALUES), "how many of a field are named")
_LIMIT = Parameter("limit", _up_to(browsing.MOST_USERS, browsing.USERS), "how many")
_ONE = "/v1/listings/{id}"
_NEXT = ("get", "patch", "remove", "similar")
OPERATIONS = (
    Operation("PUT", _ONE, listings.put, "write", "listing", bodies.Stored, _WRITE, _WRITTEN, _NEXT),
    Operation(
        "PATCH",
        _ONE,
        listings.patch,
        "write",
        "part",
        bodies.Stored,
        _WRITE,
        ("not-found", *_WRITTEN),
        _NEXT,
    ),
    Operation(
        "DELETE",
        _ONE,
        listings.remove,
        "write",
        None,
        bodies.Stored,
        (*_WRITE, _VERSION),
        ("not-found", "invalid", "conflict", "stale", "deadline"),
        ("get", "put"),
    ),
    Operation(
        "GET",
        _ONE,
        listings.get,
        "read",
        None,
        bodies.ShownListing,
        (_VECTOR,),
        ("not-found", "invalid", "deadline"),
        _NEXT,
    ),
    Operation(
        "POST",
        "/v1/listings:bulk",
        listings.bulk,
        "write",
        "listings",
        bodies.BulkAnswer,
        (Parameter("operation", {"enum": list(listings.OPERATIONS)}, "what is done with each line"), _WAIT),
        ("invalid", "malformed", "too-large", "media-type", "deadline"),
    ),
    Operation(
        "POST",
        "/v1/events",
        events.record,
        "write",
        "events",
        bodies.EventsAnswer,
        (),
        ("invalid", "malformed", "taken", "too-large", "media-type", "deadline"),
    ),
    Operation(
        "GET",
        f"{_ONE}/similar",
        asking.similar,
        "read",
        None,
        bodies.Answer,
        _SIMILAR,
        ("not-found", "invalid", "deadline"),
        ("get", "patch", "remove"),
    ),
    Operation(
        "POST",
        "/v1/recommendations",
        asking.recommend,
        "read",
        bodies.Recommendations,
        bodies.Answer,
        (),
        ("not-found", *_ASKED),
    ),
    Operation(
        "POST",
        "/v1/search",
        asking.search,
        "read",
        bodies.Search,
        bodies.Answer,
        (),
        _ASKED,
    ),
    Operation(
        "GET",
        f"{_ONE}/picture",
        browsing.picture,
        "read",
        None,
        browsing.PNG,
        (_HELD,),
        ("not-found", "invalid"),
    ),
    Operation(
        "GET", "/v1/facets", browsing.facets, "read", None, bodies.Facets, (_VALUES,), ("invalid", "deadline")
    ),
    Operation("GET", "/v1/users", browsing.users, "read", None, bodies.Users, (_LIMIT,), ("invalid",)),
    Operation("GET", "/v1/service", operating.service, "read", problems=("deadline",)),
    Operation("GET", "/metrics", operating.metrics, "read", None, MEDIA_TYPE, (), ("deadline",)),
    Operation("POST", "/v1/index:check", operating.check, "admin"),
    Operation("POST", "/v1/index:rebuild", operating.rebuild, "admin"),
    Operation("GET", "/healthz", operating.healthz, None),
    Operation("GET", "/readyz", operating.readyz, None),
)
