"""Listings, questions and answers as the service's JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from engines.base import Batch, EngineError, Hits, Ids, Schema, Vectors
from engines.columns import Column, Keywords, Tags, decoded
from engines.http_service.filters import Condition, read_word, stored_word
from engines.values.columns import column_of

_CHUNK_BYTES = 8 << 20  # of vectors in one request; their JSON is up to five times as long
_CHUNK_ROWS = 1000  # which a service writes in one transaction
_DELETIONS = 10_000
_ABSENT = "#not-found"  # ends the type of that problem


class _Problem(msgspec.Struct):
    type: str = ""
    detail: str = ""


class _Line(msgspec.Struct):
    id: str = ""
    problem: _Problem | None = None


class _Written(msgspec.Struct):
    failed: int
    results: list[msgspec.Raw]
    searchable: bool = False


class _Hit(msgspec.Struct):
    id: str
    score: float


class _Answer(msgspec.Struct):
    hits: list[_Hit]
    fallback: str = ""
    short: str = ""


class _Listing(msgspec.Struct):
    id: str
    attributes: dict[str, Any]
    vector: list[float]


encode = msgspec.json.Encoder().encode
_decode_answer = msgspec.json.Decoder(_Answer).decode
_decode_written = msgspec.json.Decoder(_Written).decode
_decode_line = msgspec.json.Decoder(_Line).decode
_decode_listing = msgspec.json.Decoder(_Listing).decode


def question(vector: Vectors, k: int, where: Condition | None, *, exact: bool) -> bytes:
    """The body of a request for recommendations, by a vector."""
    asked: dict[str, Any] = {"vector": vector.tolist(), "k": k, "short": "short"}
    if where is not None:
        asked["where"] = where
    if exact:
        asked["mode"] = "exact"
    return encode(asked)


def hits(raw: bytes, metric: str) -> Hits:
    """The answer. Raises EngineError where it is not the index's, or not all of it: what was asked is missing then."""
    answer = _decode_answer(raw)
    if answer.fallback:
        raise EngineError(
            f"http-service: popular listings in the place of the engine's answer ({answer.fallback})"
        )
    if answer.short == "deadline":
        raise EngineError("http-service: there was no time to look for further hits")
    # The service turns distances, so that the greatest score is the best.
    sign = -1 if metric == "l2" else 1
    return Hits([int(hit.id) for hit in answer.hits], [sign * hit.score for hit in answer.hits])


def puts(batch: Batch, schema: Schema) -> Iterator[bytes]:
    """Bodies of bulk requests that write a batch."""
    rows = max(1, min(_CHUNK_ROWS, _CHUNK_BYTES // (4 * schema.dim)))
    for first in range(0, len(batch), rows):
        part = batch[first : first + rows]
        columns: dict[str, list[Any]] = {"id": [str(id_) for id_ in part.ids.tolist()]}
        columns["vector"] = part.vectors.tolist()
        columns |= {alias: _values(part.attributes[name]) for name, alias in schema.aliases.items()}
        yield encode([dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)])


def _values(column: Column) -> list[Any]:
    values = decoded(column)
    if isinstance(column, Keywords):
        return [None if word is None else stored_word(word) for word in values]
    return [list(map(stored_word, words)) for words in values] if isinstance(column, Tags) else values


def removals(ids: Ids) -> Iterator[bytes]:
    """Bodies of bulk requests that take items out."""
    for first in range(0, len(ids), _DELETIONS):
        yield encode([{"id": str(id_)} for id_ in ids[first : first + _DELETIONS].tolist()])


def check_written(raw: bytes, *, absent_is_fine: bool = False) -> bool:
    """Whether what was written is searchable, where that was waited for.

    Raises EngineError for lines that failed, other than those of absent listings where that is fine.
    """
    answer = _decode_written(raw)
    if answer.failed:
        lines = map(_decode_line, answer.results)
        problems = [(line.id, line.problem) for line in lines if line.problem is not None]
        wrong = [(id_, one) for id_, one in problems if not (absent_is_fine and one.type.endswith(_ABSENT))]
        if wrong:
            first, problem = wrong[0]
            raise EngineError(
                f"http-service: {len(wrong)} of {len(answer.results)} writes failed, first id {first}: {problem.detail}"
            )
    return answer.searchable


def batch_of(found: list[bytes], schema: Schema) -> Batch:
    """The items of answers to requests for single listings."""
    listings = [_decode_listing(raw) for raw in found]
    columns = {}
    for field in schema.fields:
        values = [listing.attributes[schema.aliases[field.name]] for listing in listings]
        if field.kind == "keyword":
            values = [None if word is None else read_word(word) for word in values]
        elif field.kind == "tags":
            values = [list(map(read_word, words)) for words in values]
        columns[field.name] = column_of(values, field.kind)
    vectors = np.array([listing.vector for listing in listings], np.float32).reshape(-1, schema.dim)
    return Batch(np.array([int(listing.id) for listing in listings], np.int64), vectors, columns)
