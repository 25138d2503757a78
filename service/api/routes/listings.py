"""Routes of listings: put, patch, remove, get, and many at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from engines.values.shown import shown
from service.api.http.bodies import BulkAnswer, BulkResult, ShownListing, Stored, to_json
from service.api.http.decoding import parse
from service.api.http.lines import lines_of
from service.api.http.problems import ProblemError, invalid
from service.api.http.requests import (
    JSON,
    NDJSON,
    body_of,
    choice,
    etag,
    expected_version,
    listing_id,
    media_type,
    query_of,
)
from service.api.parts import Parts
from service.api.routes.waiting import searchable_by, written_by
from service.catalogue.listing import Absent, Conflict, Listing, Outcome, Stale, Unchanged, Written
from service.catalogue.schema import Problem
from service.writing.carrying import Operation, Wish, carry_out

WAITS = ("acknowledged", "searchable")
OPERATIONS = ("put", "patch", "remove")
log = logging.getLogger(__name__)


async def put(parts: Parts, request: Request) -> Response:
    """Stores a listing whole."""
    return await _one(parts, request, "put")


async def patch(parts: Parts, request: Request) -> Response:
    """Replaces some fields of a listing."""
    return await _one(parts, request, "patch")


async def remove(parts: Parts, request: Request) -> Response:
    """Takes a listing out, such as when it has been sold."""
    return await _one(parts, request, "remove")


async def _one(parts: Parts, request: Request, operation: Operation) -> Response:
    found = listing_id(request)
    query = query_of(request, ("wait", "version") if operation == "remove" else ("wait",))
    wait = choice(query, "wait", WAITS)
    if operation == "remove":
        document: Any = {}
        if (given := query.get("version")) is not None:
            document["version"] = (
                int(given) if given.isascii() and given.isdecimal() and len(given) < 20 else given
            )
    else:
        document = parse(await body_of(request, parts.settings.limits.body_bytes))
        if not isinstance(document, dict):
            raise invalid([Problem("body", f"must be an object, got {shown(document)}")])
    deadline = parts.write_deadline()
    wish = Wish(operation, found, document, expected_version(request))
    (outcome,) = await written_by(parts, deadline, carry_out, parts, [wish])
    written = done(found, outcome)
    stored = Stored(found, written.version, _outcome(operation, written))
    if wait == "searchable":
        stored.searchable = await searchable_by(parts, deadline, written.seq)
    status = 202 if stored.searchable is False else 200
    return Response(to_json(stored), status, {"etag": etag(written.version)}, JSON)


def _outcome(operation: Operation, outcome: Written | Unchanged) -> Any:
    if isinstance(outcome, Unchanged):
        return "unchanged"
    return "removed" if operation == "remove" else "written"


def done(key: str, outcome: Outcome | Sequence[Problem]) -> Written | Unchanged:
    """What was written. Raises ProblemError where nothing was."""
    match outcome:
        case Written() | Unchanged():
            return outcome
        case Absent():
            raise ProblemError("not-found", f"there is no listing {shown(key)}; put it first")
        case Conflict(version):
            now = f"has version {version}" if version else "is not there"
            detail = (
                f"listing {shown(key)} {now}, which is not what the request expects; get it, and decide again"
            )
            raise ProblemError("conflict", detail, version=version)
        case Stale(version):
            detail = f"listing {shown(key)} has version {version}, which is not older; nothing was changed"
            raise ProblemError("stale", detail, version=version)
        case problems:
            raise invalid(problems)


async def get(parts: Parts, request: Request) -> Response:
    """A listing as it is now."""
    query = query_of(request, ("vector",))
    with_vector = choice(query, "vector", ("false", "true")) == "true"
    listing = await stored(parts, listing_id(request))
    shown_one = ShownListing(
        id=listing.id,
        version=listing.version,
        attributes=listing.attributes,
        details=listing.details,
        model=listing.model,
        listed_at_ms=listing.listed_at_ms,
        updated_at_ms=listing.updated_at_ms,
        vector=listing.vector.tolist() if with_vector else UNSET,
    )
    return Response(to_json(shown_one), 200, {"etag": etag(listing.version)}, JSON)


async def stored(parts: Parts, key: str) -> Listing:
    """Raises ProblemError where there is no such listing."""
    found = (await parts.reading.run(parts.deadline(), parts.store.get, [key])).get(key)
    if found is None:
        raise ProblemError("not-found", f"there is no listing {shown(key)}")
    return found


async def bulk(parts: Parts, request: Request) -> Response:
    """Many listings: a result for each line, whatever became of the others.

    With wait=searchable and no line it waits for all that was written before.
    """
    limits = parts.settings.limits
    query = query_of(request, ("operation", "wait"))
    operation: Any = choice(query, "operation", OPERATIONS)
    wait = choice(query, "wait", WAITS)
    body = await body_of(request, limits.bulk_bytes, (JSON, NDJSON))
    deadline = parts.write_deadline()
    by_line = media_type(request) == NDJSON
    answer, seq = await written_by(parts, deadline, _bulk, parts, operation, body, by_line)
    if wait == "searchable":
        seq = seq or await parts.reading.run(deadline, parts.store.last_seq)
        answer.searchable = await searchable_by(parts, deadline, seq)
    return Response(to_json(answer), 200, media_type=JSON)


def _bulk(parts: Parts, operation: Operation, body: bytes, by_line: bool) -> tuple[BulkAnswer, int]:
    """What came of each line, and the place in the outbox of the last. Blocks."""
    documents = _documents(body, by_line, parts.settings.limits.bulk_lines)
    results: list[BulkResult] = []
    wishes: list[Wish] = []
    for line, document in enumerate(documents, start=1):
        result = BulkResult(line)
        results.append(result)
        if isinstance(document, ProblemError):
            result.problem = document.body()
        elif not isinstance(document, dict) or not isinstance(document.get("id"), str):
            text = (
                "must be an object with an id" if not isinstance(document, dict) else "is missing, or no text"
            )
            result.problem = invalid([Problem("id", text)]).body()
        else:
            result.id = document["id"]
            wishes.append(Wish(operation, document["id"], document))
    outcomes = iter(carry_out(parts, wishes))
    seq = 0
    for result in results:
        if result.problem is not UNSET:
            continue
        try:
            written = done(result.id, next(outcomes))
        except ProblemError as error:
            result.problem = error.body()
        else:
            result.version, result.outcome = written.version, _outcome(operation, written)
            seq = max(seq, written.seq)
    failed = sum(result.problem is not UNSET for result in results)
    if failed:
        parts.telemetry.failed_lines("bulk", failed)
        log.warning("bulk %s: %d of %d lines failed", operation, failed, len(results))
    return BulkAnswer(len(results), failed, results), seq


def _documents(body: bytes, by_line: bool, most: int) -> list[Any]:
    """Of lines, or of a list. What is wrong with a line is in its place. Raises ProblemError."""
    return [_document(line) for line in lines_of(body, by_line, most, "listings")]


def _document(line: bytes | msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return ProblemError("malformed", f"{error}; send one object a line")
