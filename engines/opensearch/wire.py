"""What goes over the wire: documents, searches and answers, made without the client's general serializers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson

from engines.base import Batch, EngineError, Ids, Keywords, Metric, Schema, UnsupportedError, Vectors
from engines.columns import unit
from engines.opensearch.filters import Query
from engines.opensearch.params import ID, SPACES, VECTOR

SEARCH = "_search?allow_partial_search_results=false&filter_path=hits.hits.fields,hits.hits._score"
# Ids come from a column; neither _id nor _source is read.
_FETCH = {"_source": False, "stored_fields": "_none_", "docvalue_fields": [ID], "track_total_hits": False}
_LONGEST_BYTES = 32_766  # of a term in Lucene


def _plain(vectors: Vectors, metric: Metric) -> Vectors:
    """Vectors as they are stored and compared."""
    return unit(vectors) if metric == "cosine" else np.ascontiguousarray(vectors, dtype=np.float32)


def _dump(body: object) -> bytes:
    """JSON; float32 arrays keep their shortest decimal form. Raises EngineError for half a surrogate pair in a text."""
    try:
        return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
    except orjson.JSONEncodeError as error:
        raise EngineError(f"opensearch: no JSON can be made of the values ({error})") from error


def knn(vector: Vectors, k: int, metric: Metric, where: Query | None, options: Query) -> bytes:
    """A search for the k best of options["k"] neighbours; the filter is applied while searching."""
    query = {"vector": _plain(vector, metric), **options}
    if where is not None:
        query["filter"] = where
    return _dump({"size": k, "query": {"knn": {VECTOR: query}}, **_FETCH})


def script(vector: Vectors, k: int, metric: Metric, where: Query | None) -> bytes:
    """A search that compares every match with the vector. Docs: "Exact k-NN with a scoring script"."""
    params = {"field": VECTOR, "query_value": _plain(vector, metric), "space_type": SPACES[metric]}
    score = {
        "query": {"match_all": {}} if where is None else {"bool": {"filter": where}},
        "script": {"lang": "knn", "source": "knn_score", "params": params},
    }
    return _dump({"size": k, "query": {"script_score": score}, **_FETCH})


def _squared_distance(score: float) -> float:
    return 1 / score - 1 if score else float("inf")


def _inner_product(score: float) -> float:
    return score - 1 if score >= 1 else 1 - 1 / score


def decoder(metric: Metric) -> Callable[[bytes], tuple[Sequence[int], Sequence[float]]]:
    """Reads ids and scores from the answer to a search. Raises ValueError for anything else."""
    # Docs: "Spaces": l2: score = 1 / (1 + d); innerproduct: score = 1 / (1 - p) for p < 0, else p + 1. Here turned
    # round. Scores are float32, so they tell no distances and products apart that differ by less than 1e-7.
    convert = _squared_distance if metric == "l2" else _inner_product

    def decode(raw: bytes) -> tuple[Sequence[int], Sequence[float]]:
        try:
            hits = orjson.loads(raw).get("hits", {"hits": []})[
                "hits"
            ]  # filter_path leaves nothing of no hits
            return [hit["fields"][ID][0] for hit in hits], [convert(hit["_score"]) for hit in hits]
        except (AttributeError, KeyError, IndexError, TypeError) as error:
            raise ValueError(f"no answer to a search: {raw[:200]!r}") from error

    return decode


def upserts(batch: Batch, schema: Schema) -> list[bytes]:
    """One operation of a bulk request for each row. Raises EngineError for what cannot be stored."""
    columns: dict[str, list[Any]] = {ID: batch.ids.tolist()}
    for name, alias in schema.aliases.items():
        column = batch.attributes[name]
        if isinstance(column, Keywords):
            columns[alias] = _words(name, column)
            continue
        if column.dtype.kind == "f":
            if not np.isfinite(column).all():
                row = int(np.flatnonzero(~np.isfinite(column))[0])
                raise UnsupportedError(
                    f"opensearch: '{name}' of id {batch.ids[row]} is {column[row]}, it stores finite numbers only"
                )
            column = column + 0.0  # as filters.positive_zero
        columns[alias] = column.tolist()
    columns[VECTOR] = list(_plain(batch.vectors, schema.metric))
    return [
        b'{"index":{"_id":"%d"}}\n%b\n' % (row[0], _dump(dict(zip(columns, row, strict=True))))
        for row in zip(*columns.values(), strict=True)
    ]


def _words(name: str, column: Keywords) -> list[str]:
    words = column.decode()
    for word in words:
        if len(word) > _LONGEST_BYTES // 4 and len(word.encode("utf-8", "replace")) > _LONGEST_BYTES:
            raise UnsupportedError(
                f"opensearch: '{name}' holds a text of {len(word)} characters, {word[:20]!r}...; "
                f"keywords have at most {_LONGEST_BYTES} bytes of UTF-8"
            )
    return words


def deletions(ids: Ids) -> list[bytes]:
    """One operation of a bulk request for each id."""
    return [b'{"delete":{"_id":"%d"}}\n' % id_ for id_ in ids.tolist()]
