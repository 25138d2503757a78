"""Routes that ask: recommendations, similar listings, search."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Iterable
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from engines.values.filter_syntax import to_json as filter_json
from engines.values.shown import shown
from service.api.http import bodies
from service.api.http.decoding import convert, decode, parse
from service.api.http.problems import ProblemError, invalid
from service.api.http.requests import JSON, body_of, listing_id, query_of
from service.api.parts import Parts
from service.api.routes.filters import read_filter
from service.catalogue.checks import id_problem, read_vector
from service.catalogue.schema import Problem
from service.limits.deadline import Deadline
from service.retrieval import values
from service.telemetry.requests.asked import Asked

_Result = TypeVar("_Result")
_SIMILAR = ("k", "where", "mode", "short", "explain", "variant", "seller")  # parameters of a GET


async def recommend(parts: Parts, request: Request) -> Response:
    """Listings for a user, a history, declared preferences or a vector."""
    body = decode(await body_of(request, parts.settings.limits.body_bytes), bodies.Recommendations)
    problems: list[Problem] = []
    vector, user = None, None
    if body.vector is not None:
        vector, problem = read_vector(body.vector, parts.schema.engine)
        problems += [Problem("vector", problem)] if problem else []
    if (body.vector is None) == (body.user is None and body.history is None and not body.preferences):
        problems.append(Problem("body", "needs a vector, or else one of user, history and preferences"))
    elif body.vector is None:
        user, faults = _user(parts, body)
        problems += faults
    asked = _asked(parts, body, problems, vector=vector, user=user)
    return await _answered(parts, request, asked, body.explain, body.user)


async def similar(parts: Parts, request: Request) -> Response:
    """Listings like one, which itself is not among them."""
    key, query = listing_id(request), query_of(request, _SIMILAR)
    members: dict[str, Any] = dict(query)
    if "where" in query:
        try:
            members["where"] = parse(query["where"].encode(errors="surrogatepass"))
        except ProblemError as error:
            raise invalid([Problem("where", error.detail)]) from None
    body = convert(members, bodies.Asking)
    return await _answered(parts, request, _asked(parts, body, [], like=key), body.explain)


async def search(parts: Parts, request: Request) -> Response:
    """Listings for a text."""
    body = decode(await body_of(request, parts.settings.limits.body_bytes), bodies.Search)
    asked = _asked(parts, body, [], text=body.text, rank=body.rank)
    return await _answered(parts, request, asked, body.explain)


def _asked(parts: Parts, body: bodies.Asking, others: list[Problem], **own: Any) -> values.Request:
    """The question. own: what not every question has. Raises ProblemError with all that is wrong, others included."""
    limits = parts.settings.limits
    where, problems = read_filter(body.where, parts.schema.engine, limits)
    if body.k > limits.k:
        problems.append(Problem("k", f"must be at most {limits.k:,}, got {shown(body.k)}"))
    excluded = len(body.seen) + len(body.own) + len(body.blocked) + len(body.blocked_sellers)
    if excluded > limits.excluded:
        names = "seen, own, blocked and blocked_sellers"
        text = f"name {excluded:,} together, of which {limits.excluded:,} are allowed"
        problems.append(Problem(names, text))
    if problems or others:
        raise invalid([*problems, *others])
    exclusions = (
        values.NOTHING
        if not excluded and body.seller is None
        else values.Exclusions(
            seen=frozenset(body.seen),
            own=frozenset(body.own),
            blocked=frozenset(body.blocked),
            blocked_sellers=frozenset(body.blocked_sellers),
            seller=body.seller,
        )
    )
    return values.Request(
        body.k,
        where=where,
        mode=body.mode,
        relax=body.short == "relax",
        exclusions=exclusions,
        variant=body.variant,
        explain=body.explain,
        **own,
    )


def _user(parts: Parts, body: bodies.Recommendations) -> tuple[values.User | None, list[Problem]]:
    """Whom recommendations are for; what one who is named by id took is found later.

    Of a listing that is named twice in a history the later place counts.
    """
    if body.user is not None and (problem := id_problem(body.user)):
        return None, [Problem("user", problem)]
    if body.user is not None and body.history is not None:
        return None, [Problem("history", "and user exclude each other: a user has a history; leave one out")]
    given = body.history or []
    most = parts.settings.limits.history
    if len(given) > most:
        return None, [Problem("history", f"names {len(given):,} listings, of which {most:,} are allowed")]
    history: dict[str, values.Taken] = {}
    problems = []
    for place, one in enumerate(given):
        taken = values.Taken(one) if isinstance(one, str) else values.Taken(one.id, one.at_ms)
        if problem := id_problem(taken.id):
            problems.append(Problem(f"history[{place}]", problem))
        history.pop(taken.id, None)
        history[taken.id] = taken
    words = {
        name: (said,) if isinstance(said, str) else tuple(said) for name, said in body.preferences.items()
    }
    return values.User(tuple(history.values()), words), problems


async def _answer(parts: Parts, asked: values.Request, deadline: Deadline, who: str | None) -> values.Answer:
    """who: the id of a user whose history is asked with. Raises ProblemError where nothing is known of them."""
    if who is not None:
        found = await parts.reading.run(deadline, parts.users.find, who)
        if found is None:
            instead = "a history" if parts.encoder is None else "a history or preferences"
            detail = f"there is no user {shown(who)}; give {instead} instead"
            raise ProblemError("not-found", detail, [Problem("user", detail)])
        preferences = asked.user.preferences if asked.user is not None else {}
        asked = replace(asked, user=replace(found, preferences=preferences))
    return await parts.retrieval.answer(asked, deadline)


async def _answered(
    parts: Parts, request: Request, asked: values.Request, explain: bool, who: str | None = None
) -> Response:
    deadline, arrived = parts.deadline(), time.perf_counter_ns()

    async def at_its_place() -> tuple[values.Answer, int]:
        async with parts.gate.place(deadline):
            placed = time.perf_counter_ns()
            return await _answer(parts, asked, deadline, who), placed

    answer, placed = await _while_connected(request, at_its_place())
    record: Asked = request.state.asked
    record.answered(asked, answer, placed, arrived)
    removed: dict[str, Any] = {rule: {"count": one.count} for rule, one in answer.removed.items()}
    if explain:
        numbers = {number for one in answer.removed.values() for number in one.numbers}
        ids = await _ids(parts, numbers) if numbers else {}
        for rule, one in answer.removed.items():
            removed[rule]["ids"] = [ids[number] for number in one.numbers if number in ids]
    content = bodies.Answer(
        request_id=record.id,
        variant=answer.variant,
        mode=answer.mode,
        hits=[_hit(hit) for hit in answer.hits],
        stages_ms={stage: round(took_ms, 3) for stage, took_ms in answer.stages_ms.items()},
        relaxed=[
            bodies.ShownRelaxation(step.field, step.how, filter_json(step.where)) for step in answer.relaxed
        ],
        fallback=answer.fallback,
        short=answer.short or "",
        words=answer.words or "",
        removed=removed,
        unused=dict(answer.unused),
    )
    return Response(bodies.to_json(content), media_type=JSON)


async def _ids(parts: Parts, numbers: Iterable[int]) -> dict[int, str]:
    found = await parts.reading.run(parts.deadline(), parts.store.by_number, numbers)
    return {number: listing.id for number, listing in found.items()}


def _hit(hit: values.Hit) -> bodies.ShownHit:
    listing = hit.listing
    return bodies.ShownHit(
        id=listing.id,
        score=hit.score,
        version=listing.version,
        listed_at_ms=listing.listed_at_ms,
        attributes=listing.attributes,
        details=listing.details,
        beyond=list(hit.beyond),
        explained=UNSET if hit.explained is None else msgspec.to_builtins(hit.explained),
    )


async def _while_connected(request: Request, work: Awaitable[_Result]) -> _Result:
    """The result of the work, which is cancelled where the client has gone. Raises ClientDisconnect then."""
    working = asyncio.current_task()
    assert working is not None
    watching = asyncio.ensure_future(_cancel_once_gone(request, working))
    try:
        return await work
    except asyncio.CancelledError:
        if not watching.done():  # the service is stopping
            raise
        working.uncancel()
        raise ClientDisconnect from None
    finally:
        watching.cancel()


async def _cancel_once_gone(request: Request, working: asyncio.Task[Any]) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    working.cancel()
