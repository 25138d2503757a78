"""Routes that show what there is to ask for: values of fields, users, pictures."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from engines.values.shown import shown
from service.api.http import bodies
from service.api.http.png import grey_png
from service.api.http.problems import ProblemError, invalid
from service.api.http.requests import JSON, etag, listing_id, query_of
from service.api.parts import Parts
from service.api.routes.listings import stored
from service.catalogue.schema import Problem
from service.memory.facets import Facet

PNG = "image/png"
MOST_VALUES, MOST_USERS = 1000, 1000
VALUES, USERS = 20, 20  # by default
_HISTORY = 20  # listings of a user that are told
_KEPT_S = 60  # a picture in caches, before it is asked for again


async def facets(parts: Parts, request: Request) -> Response:
    """The commonest values of each field, with how many listings have them; least and greatest of numbers."""
    most = _number(request, "values", VALUES, MOST_VALUES)
    count, found = await parts.reading.run(parts.deadline(), _counted, parts, most)
    fields = {
        one.field.name: bodies.ShownFacet(
            one.field.kind,
            [bodies.ShownValue(value, count) for value, count in one.values],
            one.others,
            one.least,
            one.greatest,
            one.missing,
        )
        for one in found
    }
    return Response(bodies.to_json(bodies.Facets(count, fields)), media_type=JSON)


def _counted(parts: Parts, most: int) -> tuple[int, Sequence[Facet]]:
    return parts.store.count(), parts.retrieval.facets(most)


async def users(parts: Parts, request: Request) -> Response:
    """Some of the users that are known by id, and what they took."""
    most = _number(request, "limit", USERS, MOST_USERS)
    total, found = await parts.reading.run(parts.deadline(), parts.users.examples, most)
    told = [
        bodies.ShownUser(key, len(user.history), [taken.id for taken in user.history[-_HISTORY:]])
        for key, user in found.items()
    ]
    return Response(bodies.to_json(bodies.Users(total, told)), media_type=JSON)


async def picture(parts: Parts, request: Request) -> Response:
    """A listing's picture, where the data set's vectors are pictures."""
    query_of(request, ())
    listing = await stored(parts, listing_id(request))
    if parts.picture is None:
        raise ProblemError(
            "not-found",
            f"the vector of listing {shown(listing.id)} is no picture: the data set's manifest names no picture.pixels",
        )
    headers = {"etag": etag(listing.version), "cache-control": f"private, max-age={_KEPT_S}"}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(None, 304, headers)
    return Response(grey_png(listing.vector.reshape(parts.picture.pixels)), 200, headers, PNG)


def _number(request: Request, name: str, default: int, most: int) -> int:
    """A parameter that is a whole number from 1. Raises ProblemError for others."""
    text = query_of(request, (name,)).get(name, str(default))
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(most)) and 1 <= int(text) <= most):
        raise invalid([Problem(name, f"must be a whole number from 1 to {most:,}, got {shown(text)}")])
    return int(text)
