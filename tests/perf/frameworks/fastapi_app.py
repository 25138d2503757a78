"""FastAPI with pydantic."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from tests.perf.frameworks.payloads import rows

ROWS = rows()


class Query(BaseModel):
    """A request."""

    model_config = ConfigDict(extra="forbid")
    k: int
    history: list[str] | None = None
    vector: list[float] | None = None
    where: dict[str, Any] | None = None


class Hit(BaseModel):
    """One of its hits."""

    id: str
    score: float
    title: str
    attributes: dict[str, Any]


class Answer(BaseModel):
    """Its answer."""

    hits: list[Hit]
    k: int


app = FastAPI()


@app.post("/recommendations")
async def recommendations(data: Query) -> Answer:
    hits = [
        Hit(id=key, score=score, title=title, attributes=attributes) for key, score, title, attributes in ROWS
    ]
    return Answer(hits=hits, k=data.k)
