"""What goes over the wire: documents, searches and answers, made without the client's general serializers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson

from engines.base import Batch, EngineError, Ids, Keywords, Metric, Schema, Vectors
from engines.elasticsearch.filters import Query
from engines.elasticsearch.params import ID, VECTOR

# Ids come from a column; neither _id nor _source is read.
_FETCH = {"_source": False, "stored_fields": "_none_", "docvalue_fields": [ID], "track_total_hits": False}
# Docs: "script_score", "Functions for vector fields". The scores are those of kNN search.
_SCRIPTS: dict[Metric, str] = {
    "l2": f"1 / (1 + Math.pow(l2norm(params.vector, '{VECTOR}'), 2))",
    "ip": f"double p = dotProduct(params.vector, '{VECTOR}'); return p < 0 ? 1 / (1 - p) : p + 1",
    "cosine": f"(cosineSimilarity(params.vector, '{VECTOR}') + 1) / 2",
}


def pack(vector: Vectors) -> str:
    """A vector as Elasticsearch takes it since 9.4: base64 of its big-endian float32."""
    return b64encode(vector.astype(">f4").tobytes()).decode()


def plain(vector: Vectors) -> Vectors:
    """A vector as every version takes it, for a list of numbers."""
    return np.ascontiguousarray(vector, dtype=np.float32)


def dump(body: object) -> bytes:
    """JSON; float32 arrays keep their shortest decimal form."""
    return orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)


def knn(vector: str | Vectors, k: int, candidates: int, where: Query | None, options: Query) -> bytes:
    """A search for k neighbours.

    As a query, not at the top level: that would be a phase of its own and take about a third longer.
    """
    query = {"field": VECTOR, "query_vector": vector, "k": k, "num_candidates": max(k, candidates), **options}
    if where is not None:
        query["filter"] = where
    return dump({"size": k, "query": {"knn": query}, **_FETCH})


def script(vector: Vectors, k: int, metric: Metric, where: Query | None) -> bytes:
    """A search that compares every match with the vector."""
    score = {
        "query": {"match_all": {}} if where is None else {"bool": {"filter": where}},
        "script": {"source": _SCRIPTS[metric], "params": {VECTOR: plain(vector)}},
    }
    return dump({"size": k, "query": {"script_score": score}, **_FETCH})


def _squared_distance(score: float) -> float:
    return 1 / score - 1 if score else float("inf")


def _inner_product(score: float) -> float:
    return score - 1 if score >= 1 else 1 - 1 / score


def _cosine(score: float) -> float:
    return 2 * score - 1


# Docs: "dense_vector", similarity: how _score is made of each, here turned round. It is a float32 between 0 and 1 for
# l2 and cosine, so it tells no distances apart that differ by less than 1e-7.
_SCORES: dict[Metric, Callable[[float], float]] = {
    "l2": _squared_distance,
    "ip": _inner_product,
    "cosine": _cosine,
}


def decoder(metric: Metric) -> Callable[[bytes], tuple[Sequence[int], Sequence[float]]]:
    """Reads ids and scores from the answer to a search. Raises ValueError for anything else."""
    convert = _SCORES[metric]

    def decode(raw: bytes) -> tuple[Sequence[int], Sequence[float]]:
        try:
            hits = orjson.loads(raw)["hits"]["hits"]
            return [hit["fields"][ID][0] for hit in hits], [convert(hit["_score"]) for hit in hits]
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"no answer to a search: {raw[:200]!r}") from error

    return decode


def upserts(batch: Batch, schema: Schema, pack: Callable[[Vectors], str | Vectors]) -> list[bytes]:
    """One operation of a bulk request for each row. Raises EngineError for numbers that JSON cannot hold."""
    columns: dict[str, list[Any]] = {ID: batch.ids.tolist()}
    for name, alias in schema.aliases.items():
        column = batch.attributes[name]
        if isinstance(column, Keywords):
            columns[alias] = column.decode()
            continue
        if column.dtype.kind == "f":
            if not np.isfinite(column).all():
                row = int(np.flatnonzero(~np.isfinite(column))[0])
                raise EngineError(
                    f"elasticsearch: '{name}' of id {batch.ids[row]} is {column[row]}, not finite"
                )
            column = column + 0.0  # as positive_zero
        columns[alias] = column.tolist()
    columns[VECTOR] = [pack(vector) for vector in batch.vectors]
    return [
        b'{"index":{"_id":"%d"}}\n%b\n' % (row[0], dump(dict(zip(columns, row, strict=True))))
        for row in zip(*columns.values(), strict=True)
    ]


def deletions(ids: Ids) -> list[bytes]:
    """One operation of a bulk request for each id."""
    return [b'{"delete":{"_id":"%d"}}\n' % id_ for id_ in ids.tolist()]
