"""An answer of the service, by applications that only read the request and write the answer: with Starlette, and with
no framework at all.

`python -m tests.perf.http.echo_app starlette|bare FILE` prints the port. Both decode the question into its type, and
encode the answer anew from objects each time. The file holds the answers by their k.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

# As the service has it, without what that adds of its own.
SERVER: dict[str, Any] = {
    "http": "httptools",
    "loop": "uvloop",
    "ws": "none",
    "lifespan": "off",
    "access_log": False,
    "log_config": None,
    "server_header": False,
    "proxy_headers": False,
}


class Query(msgspec.Struct, forbid_unknown_fields=True):
    """A question."""

    k: int
    vector: list[float] | None = None


class Hit(msgspec.Struct):
    """As the service has it."""

    id: str
    score: float
    version: int
    listed_at_ms: int
    attributes: dict[str, Any]
    details: dict[str, str]


class Answer(msgspec.Struct):
    """As the service has it where nothing is special."""

    request_id: str
    variant: str
    mode: str
    hits: list[Hit]
    stages_ms: dict[str, float]


_DECODER, _ENCODER = msgspec.json.Decoder(Query), msgspec.json.Encoder()


Echo = Callable[[bytes], bytes]


def _echo(answers: Mapping[int, Answer]) -> Echo:
    """From the body of a question to that of its answer."""
    rows = {k: [msgspec.structs.astuple(hit) for hit in one.hits] for k, one in answers.items()}

    def echo(body: bytes) -> bytes:
        k = _DECODER.decode(body).k
        one, hits = answers[k], [Hit(*row) for row in rows[k]]
        return _ENCODER.encode(Answer(one.request_id, one.variant, one.mode, hits, one.stages_ms))

    return echo


def starlette(echo: Echo) -> ASGIApp:
    """Routes, requests and responses of the framework."""

    async def recommendations(request: Request) -> Response:
        return Response(echo(await request.body()), media_type="application/json")

    return Starlette(routes=[Route("/v1/recommendations", recommendations, methods=["POST"])])


def bare(echo: Echo) -> ASGIApp:
    """ASGI by hand."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message["body"], message.get("more_body", False)
        answer = echo(body)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    return app


if __name__ == "__main__":
    read = msgspec.json.decode(Path(sys.argv[2]).read_bytes(), type=dict[int, Answer])
    app = {"starlette": starlette, "bare": bare}[sys.argv[1]](_echo(read))
    with socket.create_server(("127.0.0.1", 0)) as bound:
        print(bound.getsockname()[1], flush=True)
        uvicorn.Server(uvicorn.Config(app, **SERVER)).run(sockets=[bound])
