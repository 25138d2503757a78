"""Routes for who runs the service: is it up, can it answer, what does it serve, does index and truth agree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from engines.base import EngineError
from service.api.http.bodies import to_json
from service.api.http.problems import ProblemError
from service.api.http.requests import JSON
from service.api.parts import Parts
from service.limits.deadline import Deadline
from service.telemetry.meters import MEDIA_TYPE

_LONG_S = 24 * 3600.0  # checks and rebuilds end when they end
_SCRAPE_S = 10.0  # as long as Prometheus waits by default


async def healthz(parts: Parts, request: Request) -> Response:
    """Whether the process answers at all."""
    return _json({"status": "ok"})


async def readyz(parts: Parts, request: Request) -> Response:
    """Whether the index answers, and is of the model that users are encoded with."""
    try:
        why = await parts.reading.run(parts.deadline(), parts.index.ready)
    except TimeoutError:
        why = "the index does not answer within a request's time"
    if why:
        raise ProblemError("unavailable", why)
    return _json({"status": "ready"})


async def service(parts: Parts, request: Request) -> Response:
    """What is served: engine, model, fields, how many listings; and how the index stands."""
    deadline = parts.deadline()
    listings = await parts.reading.run(deadline, parts.store.count)
    state = await parts.reading.run(deadline, parts.index.state)
    return _json({**parts.about, "listings": listings, "index": state})


async def metrics(parts: Parts, request: Request) -> Response:
    """Figures of what was asked and answered, and how things stand, for Prometheus."""
    deadline = Deadline.after(parts.clock(), _SCRAPE_S)
    text = await parts.measuring.run(deadline, parts.telemetry.text)
    return Response(text, headers={"content-type": MEDIA_TYPE})


async def check(parts: Parts, request: Request) -> Response:
    """Compares the index with the catalogue, listing by listing."""
    return await _operated(parts, parts.index.check)


async def rebuild(parts: Parts, request: Request) -> Response:
    """Builds the index anew beside the live one, then takes it in its place."""
    return await _operated(parts, parts.index.rebuild)


async def _operated(parts: Parts, call: Callable[[], Mapping[str, Any]]) -> Response:
    deadline = Deadline.after(parts.clock(), _LONG_S)
    try:
        return _json(await parts.operating.run(deadline, call))
    except EngineError as error:  # such as a rebuild that is under way already, in whichever process
        raise ProblemError("unavailable", str(error)) from error


def _json(content: Any) -> Response:
    return Response(to_json(content), media_type=JSON)
