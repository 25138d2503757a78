"""The application of ASGI: addresses to routes, keys, and every failure as a problem."""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from engines.values.shown import shown
from service.api.docs import page
from service.api.http.bodies import to_json
from service.api.http.problems import ProblemError, invalid
from service.api.http.requests import JSON
from service.api.openapi import document
from service.api.operations import OPERATIONS, Operation
from service.api.parts import Parts
from service.catalogue.schema import Problem
from service.database.errors import StoreError
from service.limits.gate import OverloadedError
from service.page.files import PageFile, page_files
from service.retrieval.values import InvalidRequestError, UnknownListingError
from service.settings.model import LOCAL
from service.telemetry.requests.asked import NOW, Asked

REQUEST_ID = "x-request-id"
_NUMBER = REQUEST_ID.encode()
log = logging.getLogger(__name__)
Endpoint = Callable[[Request], Awaitable[Response]]


def application(parts: Parts, version: str) -> ASGIApp:
    """The service over HTTP."""
    described = document(parts, version)
    files = {
        "/openapi.json": PageFile(to_json(described), JSON, {}),
        "/docs": PageFile(page(described).encode(), "text/html", {}),
        **page_files(pictures_elsewhere=parts.schema.picture is not None),
    }
    endpoints = [(one, _endpoint(parts, one)) for one in OPERATIONS]
    routes = [
        Route(one.path, endpoint, methods=[one.method], name=one.name)
        # The longer address first, of which the shorter is the beginning.
        for one, endpoint in sorted(endpoints, key=lambda item: -len(item[0].path))
    ]
    routes += [Route(path, _file(one), methods=["GET"]) for path, one in files.items()]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _refusing(parts)})
    app.router.redirect_slashes = False  # such a redirect would have no request id, and be counted nowhere
    # Addresses without an id need no search through the routes, nor what Starlette puts around them.
    direct = {(one.method, one.path): endpoint for one, endpoint in endpoints if "{" not in one.path}

    async def numbered(scope: Scope, receive: Receive, send: Send) -> None:
        """Gives each request an id, and leaves its path as it was written: an id may hold an encoded slash."""
        if scope["type"] != "http":
            return await app(scope, receive, send)
        scope["path"] = path = scope.get("raw_path", b"").decode("latin-1") or scope["path"]
        asked = parts.telemetry.begun(scope["headers"])
        scope["state"] = {**scope.get("state", {}), "asked": asked}
        NOW.set(asked)
        endpoint = direct.get((scope["method"], path))
        if endpoint is None:
            return await app(scope, receive, send)
        response = await endpoint(Request(scope, receive, send))
        return await response(scope, receive, send)

    return numbered


def _file(file: PageFile) -> Endpoint:
    async def endpoint(_request: Request) -> Response:
        return Response(file.content, 200, file.headers, file.media_type)

    return endpoint


def _endpoint(parts: Parts, operation: Operation) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        asked: Asked = request.state.asked
        try:
            _permit(parts, operation, request)
            response = await operation.handler(parts, request)
        except ClientDisconnect:
            response = Response(status_code=499)  # nobody is there to read it
        except Exception as error:  # noqa: BLE001 - a bug is logged, and answered as one
            problem = _problem(error)
            told = log.error if problem.status >= 500 else log.info
            bug = error if problem.kind == "internal" else None
            if problem.kind != "overloaded" or parts.gate.tells():
                told("%s: %d %s", operation.name, problem.status, problem.detail, exc_info=bug)
            response = problem.response(request_id=asked.id, trace_id=asked.trace_id)
        parts.telemetry.ended(asked, operation.name, response.status_code, time.perf_counter_ns())
        response.raw_headers.append((_NUMBER, asked.id.encode()))
        return response

    return endpoint


def _permit(parts: Parts, operation: Operation, request: Request) -> None:
    """Raises ProblemError unless the request's key has the operation's scope, and is not used too often."""
    if operation.scope is None:
        return
    if parts.keys is None:
        _require_no_other_page(request)
        return
    scheme, _, text = request.headers.get("authorization", "").partition(" ")
    key = parts.keys.find(text.strip()) if scheme.lower() == "bearer" else None
    if key is None:
        detail = "send a key that is known: Authorization: Bearer KEY (bakeoff service key makes one)"
        raise ProblemError("unauthorized", detail, headers={"www-authenticate": "Bearer"})
    if operation.scope not in key.scopes:
        has = ", ".join(key.scopes)
        raise ProblemError(
            "forbidden", f"this needs a key with the scope {operation.scope}; {key.name} has {has}"
        )
    if parts.rates is not None and (after_s := parts.rates.take(key.name)):
        parts.telemetry.rate_limited(key.name)
        detail = f"{key.name} may ask {parts.settings.limits.rate}; ask again in {after_s} s"
        raise ProblemError("rate-limited", detail, headers={"retry-after": str(after_s)})


def _require_no_other_page(request: Request) -> None:
    """Raises ProblemError where a web page from elsewhere asks through the browser of somebody on this machine.

    What it asks would be done although it reads no answer, and it reads answers where a name of its own leads here.
    With keys it has none to send.
    """
    origin, host = request.headers.get("origin"), request.headers.get("host", LOCAL[0])
    other = origin if origin is not None and origin.partition("://")[2] != host else None
    if other is None and _hostname(host) not in LOCAL:
        other = host
    if other is not None:
        detail = f"{shown(other)} is not this service's address on this machine; start it with keys to be asked there"
        raise ProblemError("forbidden", detail)


def _hostname(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _problem(error: Exception) -> ProblemError:  # noqa: PLR0911 - one for each kind
    match error:
        case ProblemError():
            return error
        case InvalidRequestError():
            return invalid([_named(text) for text in error.problems])
        case UnknownListingError():
            return ProblemError("not-found", str(error))
        case OverloadedError():
            after = str(error.retry_after_s)
            return ProblemError("overloaded", str(error), headers={"retry-after": after})
        case TimeoutError():
            return ProblemError(
                "deadline", "the answer took longer than a request may; ask again, or for less"
            )
        case StoreError():
            return ProblemError("unavailable", str(error), headers={"retry-after": "1"})
        case _:
            return ProblemError("internal", "the service failed; its log says how, beside this request's id")


def _named(text: str) -> Problem:
    """A problem of a line that begins with the name of a member, or with none."""
    name, colon, detail = text.partition(": ")
    return Problem(name, detail) if colon and name.isidentifier() else Problem("body", text)


def _refusing(parts: Parts) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def refuse(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        response = _refused(request, error)
        parts.telemetry.refused(response.status_code)
        return response

    return refuse


def _refused(request: Request, error: HTTPException) -> Response:
    """What no route has taken."""
    known = ", ".join(dict.fromkeys(one.path for one in OPERATIONS))
    if error.status_code == 405:
        allowed = ", ".join(_allowed(request.scope["path"]))
        detail = f"{request.method} is not; there is: {allowed}"
        problem = ProblemError("not-allowed", detail, headers={"allow": allowed})
    elif error.status_code == 404:
        problem = ProblemError("not-found", f"no such address; there are: {known}")
    else:
        problem = ProblemError("invalid", str(error.detail))
    asked: Asked = request.state.asked
    response = problem.response(request_id=asked.id, trace_id=asked.trace_id)
    response.headers[REQUEST_ID] = asked.id
    return response


def _allowed(path: str) -> list[str]:
    """The methods of an address. Starlette knows those of its first route only."""
    return [one.method for one in OPERATIONS if compile_path(one.path)[0].match(path)] or ["GET"]
