"""What is served, in words, as `GET /v1/service` tells it."""

from __future__ import annotations

from typing import Any

from service.application.planning.plan import Plan


def about(made: Plan, version: str, *, reads_text: bool) -> dict[str, Any]:
    """reads_text: whether a text can be ranked by its vector."""
    schema, chosen = made.schema, made.chosen
    picture: dict[str, Any] | None = None
    if schema.picture is not None:
        picture = {"detail": schema.picture}
    elif made.picture is not None:
        picture = {"pixels": list(made.picture.pixels)}
    by_words, by_vector = ["text"] if schema.texts else [], ["dense"] if reads_text else []
    return {
        "version": version,
        "engine": {
            "name": chosen.adapter,
            "index": dict(chosen.index),
            "search": dict(chosen.search),
            "why": chosen.why,
        },
        "model": schema.engine.model,
        "metric": schema.engine.metric,
        "dim": schema.engine.dim,
        "fields": {field.name: field.kind for field in schema.engine.fields},
        "optional": [field.name for field in schema.engine.fields if field.can_lack],
        "details": list(schema.details),
        "texts": list(schema.texts),
        "ranks": [*by_words, *by_vector, *(["fused"] if by_words and by_vector else [])],
        "picture": picture,
    }
