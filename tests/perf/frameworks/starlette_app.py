"""Starlette with msgspec: routes, requests and middleware of a framework, and no more."""

from __future__ import annotations

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.perf.frameworks.litestar_app import ROWS, Answer, Hit, Query

_DECODER, _ENCODER = msgspec.json.Decoder(Query), msgspec.json.Encoder()


async def recommendations(request: Request) -> Response:
    query = _DECODER.decode(await request.body())
    answer = Answer([Hit(*row) for row in ROWS], query.k)
    return Response(_ENCODER.encode(answer), media_type="application/json")


app = Starlette(routes=[Route("/recommendations", recommendations, methods=["POST"])])
