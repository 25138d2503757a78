"""The route of events."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from engines.values.shown import shown
from service.api.http import bodies
from service.api.http.decoding import decode
from service.api.http.lines import lines_of
from service.api.http.problems import ProblemError, invalid
from service.api.http.requests import JSON, NDJSON, body_of, media_type, query_of
from service.api.parts import Parts
from service.api.routes.waiting import written_by
from service.catalogue.checks import id_problem
from service.catalogue.schema import Problem
from service.events.event import Event, Recorded

log = logging.getLogger(__name__)


async def record(parts: Parts, request: Request) -> Response:
    """Records what users did: one event, or many with a result for each, whatever became of the others."""
    query_of(request, ())
    body = await body_of(request, parts.settings.limits.bulk_bytes, (JSON, NDJSON))
    by_line = media_type(request) == NDJSON
    answer = await written_by(parts, parts.write_deadline(), _record, parts, body, by_line)
    return Response(bodies.to_json(answer), media_type=JSON)


def _record(parts: Parts, body: bytes, by_line: bool) -> bodies.EventsAnswer:
    """Blocks. Raises ProblemError where it is one event, and that is wrong."""
    if not by_line and body.lstrip().startswith(b"{"):
        (found,) = _outcomes(parts, [body])
        if isinstance(found, ProblemError):
            raise found
        return bodies.EventsAnswer(1, 0, [_result(1, found)])
    outcomes = _outcomes(parts, lines_of(body, by_line, parts.settings.limits.bulk_lines, "events"))
    failed = sum(isinstance(one, ProblemError) for one in outcomes)
    if failed:
        parts.telemetry.failed_lines("record", failed)
        log.warning("events: %d of %d failed", failed, len(outcomes))
    results = [_result(line, one) for line, one in enumerate(outcomes, start=1)]
    return bodies.EventsAnswer(len(results), failed, results)


def _result(line: int, outcome: Recorded | ProblemError) -> bodies.EventResult:
    if isinstance(outcome, ProblemError):
        return bodies.EventResult(line, problem=outcome.body())
    return bodies.EventResult(line, outcome.held.id, "recorded" if outcome.new else "known")


def _outcomes(parts: Parts, lines: Sequence[bytes | msgspec.Raw]) -> list[Recorded | ProblemError]:
    """What came of each event, or what is wrong with it."""
    read = [_read(line) for line in lines]
    named = {one.listing for one in read if isinstance(one, Event)}
    known = parts.store.known(listing for listing in named if not id_problem(listing))
    now_ms = parts.now_ms()
    checked = [one if isinstance(one, ProblemError) else _checked(parts, one, known, now_ms) for one in read]
    recorded = iter(parts.events.record([one for one in checked if isinstance(one, Event)]))
    return [one if isinstance(one, ProblemError) else _same(one, next(recorded)) for one in checked]


def _read(line: bytes | msgspec.Raw) -> Event | ProblemError:
    try:
        body = decode(bytes(line), bodies.Event)
    except ProblemError as error:
        return error
    place = (body.request_id, body.position)
    return Event(body.id, body.kind, body.user, body.listing, body.at_ms, *place)


def _checked(parts: Parts, event: Event, known: set[str], now_ms: int) -> Event | ProblemError:
    """The event, if nothing is wrong with what it says."""
    ids = {"id": event.id, "user": event.user, "listing": event.listing, "request_id": event.request_id}
    problems = [
        Problem(name, id_problem(one)) for name, one in ids.items() if one is not None and id_problem(one)
    ]
    if event.kind == "impression":
        needed = {"request_id": event.request_id, "position": event.position}
        problems += [
            Problem(name, "is missing, which an impression needs")
            for name, one in needed.items()
            if one is None
        ]
    if problem := parts.clocks.problem(event.at_ms, now_ms):
        problems.append(Problem("at_ms", problem))
    if event.listing not in known and not id_problem(event.listing):
        text = f"there is no listing {shown(event.listing)}, nor was there; put it first, or correct the id"
        problems.append(Problem("listing", text))
    return invalid(problems) if problems else event


def _same(event: Event, recorded: Recorded) -> Recorded | ProblemError:
    """What was recorded, if it is the event."""
    differences = ", ".join(event.differences(recorded.held))
    if not differences:
        return recorded
    detail = f"event {shown(event.id)} is here already with {differences}; give each event an id of its own"
    return ProblemError("taken", detail, [Problem("id", detail)])
