"""Litestar with msgspec."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Litestar, post

from tests.perf.frameworks.payloads import rows

ROWS = rows()


class Query(msgspec.Struct, forbid_unknown_fields=True):
    """A request."""

    k: int
    history: list[str] | None = None
    vector: list[float] | None = None
    where: dict[str, Any] | None = None


class Hit(msgspec.Struct):
    """One of its hits."""

    id: str
    score: float
    title: str
    attributes: dict[str, Any]


class Answer(msgspec.Struct):
    """Its answer."""

    hits: list[Hit]
    k: int


@post("/recommendations", status_code=200)
async def recommendations(data: Query) -> Answer:
    return Answer([Hit(*row) for row in ROWS], data.k)


app = Litestar([recommendations], openapi_config=None)
