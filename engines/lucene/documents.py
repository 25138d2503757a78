"""Documents, searches and answers as Elasticsearch and OpenSearch share them, without their clients' serializers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from engines.base import Batch, EngineError, Ids, Metric, Schema, UnsupportedError, Vectors
from engines.columns import Keywords, Nullable, Tags
from engines.lucene.filters import LONGEST, Query
from engines.lucene.params import ID, TEXT, VECTOR
from engines.values.columns import normalized
from engines.values.words import words

# Ids come from a column; neither _id nor _source is read.
_OPENING = (
    b'{"size":%%d,"_source":false,"stored_fields":"_none_","docvalue_fields":["%b"],"track_total_hits":false,'
    b'"query":' % ID.encode()
)
_ABSENT = b"{}"  # the answer that filter_path leaves where there are no hits
Decoded = tuple[Sequence[int], Sequence[float]]


def comparable(vectors: Vectors, metric: Metric) -> Vectors:
    """One vector or several, as they are indexed and asked for: under cosine with length 1."""
    return normalized(vectors) if metric == "cosine" else vectors


def vector_json(vector: Vectors) -> bytes:
    """A vector in JSON: numbers in the shortest decimal form of float32."""
    return orjson.dumps(np.ascontiguousarray(vector, dtype=np.float32), option=orjson.OPT_SERIALIZE_NUMPY)


def dump(body: object) -> bytes:
    """JSON. Raises EngineError for half a surrogate pair in a text."""
    try:
        return orjson.dumps(body)
    except orjson.JSONEncodeError as error:
        raise EngineError(f"no JSON can be made of the values ({error})") from error


def search(k: int, query: bytes) -> bytes:
    """The body of a search for the ids and scores of the k best."""
    return b"%b%b}" % (opening(k), query)


def opening(k: int) -> bytes:
    """The body of a search up to its query; after that `}` ends it."""
    return _OPENING % k


def matching(text: str, k: int, where: Query | None) -> bytes:
    """The body of a search by words, ranked by BM25: that is Lucene's `match` with its default similarity."""
    found = " ".join(dict.fromkeys(words(text)))
    query: Query = {"match": {TEXT: found}} if found else {"match_none": {}}
    return search(k, dump({"bool": {"must": [query], "filter": [] if where is None else [where]}}))


# Both document how _score is made of a distance; these are the inverses. It is a float32, for l2 between 0 and 1, so
# distances that differ by less than 1e-7 are equal.
def _squared_distance(score: float) -> float:
    return 1 / score - 1 if score else float("inf")


def _inner_product(score: float) -> float:
    return score - 1 if score >= 1 else 1 - 1 / score if score else float("-inf")


def decoder(metric: Metric) -> Callable[[bytes], Decoded]:
    """Reads ids and scores from the answer to a search for neighbours. Raises ValueError for anything else."""
    convert = _squared_distance if metric == "l2" else _inner_product

    def decode(raw: bytes) -> Decoded:
        ids, scores = ranked(raw)
        return ids, [convert(score) for score in scores]

    return decode


def ranked(raw: bytes) -> Decoded:
    """Ids and scores as they come. Raises ValueError for anything but an answer to a search."""
    if raw == _ABSENT:
        return [], []
    try:
        hits = orjson.loads(raw)["hits"]["hits"]
        return [hit["fields"][ID][0] for hit in hits], [hit["_score"] for hit in hits]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(f"no answer to a search: {raw[:200]!r}") from error


def upserts(batch: Batch, schema: Schema, pack: Callable[[Vectors], bytes]) -> list[bytes]:
    """One operation of a bulk request for each row; pack: makes JSON of a vector.

    Raises EngineError for what cannot be stored.
    """
    columns: dict[str, list[Any]] = {ID: batch.ids.tolist()}
    columns |= {alias: _values(name, batch) for name, alias in schema.aliases.items()}
    if schema.text is not None:
        texts = batch.attributes[schema.text]
        assert isinstance(texts, Keywords)
        columns[TEXT] = [" ".join(words(text)) for text in texts.decode()]
    vectors, name = comparable(batch.vectors, schema.metric), b'"%b":' % VECTOR.encode()
    return [
        b'{"index":{"_id":"%d"}}\n{%b%b,%b\n'
        % (values[0], name, pack(vector), dump(dict(zip(columns, values, strict=True)))[1:])
        for vector, *values in zip(vectors, *columns.values(), strict=True)
    ]


def _values(name: str, batch: Batch) -> list[Any]:
    """The values of a column as they are stored; null and [] are no value."""
    column = batch.attributes[name]
    match column:
        case Keywords():
            return [None if word is None else _fitting(name, word) for word in column.decode()]
        case Tags():
            return [[_fitting(name, word) for word in tags] for tags in column.decode()]
        case Nullable():
            pairs = zip(_numbers(name, batch.ids, column.values), column.present.tolist(), strict=True)
            return [value if known else None for value, known in pairs]
        case _:
            return _numbers(name, batch.ids, column)


def _numbers(name: str, ids: Ids, column: npt.NDArray[Any]) -> list[Any]:
    if column.dtype.kind != "f":
        return list(column.tolist())
    if not np.isfinite(column).all():
        row = int(np.flatnonzero(~np.isfinite(column))[0])
        raise UnsupportedError(
            f"'{name}' of id {ids[row]} is {column[row]}, and only finite numbers are stored"
        )
    return list((column + 0.0).tolist())  # as positive_zero


def _fitting(name: str, word: str) -> str:
    if len(word) > LONGEST // 4 and len(word.encode("utf-8", "replace")) > LONGEST:
        raise UnsupportedError(
            f"'{name}' holds a text of {len(word)} characters, {word[:20]!r}...; keywords have at most {LONGEST} bytes "
            "of UTF-8"
        )
    return word


def deletions(ids: Ids) -> list[bytes]:
    """One operation of a bulk request for each id."""
    return [b'{"delete":{"_id":"%d"}}\n' % id_ for id_ in ids.tolist()]
