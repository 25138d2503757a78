"""What goes over the wire: documents, searches and answers, made without the client's general serializers."""

from __future__ import annotations

from binascii import b2a_base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson

from engines.base import Batch, EngineError, Ids, Keywords, Metric, Schema, Vectors
from engines.columns import unit
from engines.elasticsearch.filters import Query
from engines.elasticsearch.params import ID, VECTOR

_BIG_ENDIAN = np.dtype(">f4")
# Ids come from a column; neither _id nor _source is read.
_SEARCH = (
    b'{"size":%%d,"query":%%b,"_source":false,"stored_fields":"_none_","docvalue_fields":["%b"],'
    b'"track_total_hits":false}' % ID.encode()
)
# Docs: "script_score", "Functions for vector fields". The scores are those of kNN search.
_DISTANCE = f"1 / (1 + Math.pow(l2norm(params.vector, '{VECTOR}'), 2))"
_PRODUCT = f"double p = dotProduct(params.vector, '{VECTOR}'); return p < 0 ? 1 / (1 - p) : p + 1"


def comparable(vectors: Vectors, metric: Metric) -> Vectors:
    """Vectors, or one, as they are to be compared: under cosine with length 1."""
    return unit(vectors) if metric == "cosine" else vectors


def pack(vector: Vectors) -> bytes:
    """A vector in JSON as Elasticsearch takes it since 9.4: base64 of its big-endian float32."""
    return b'"%b"' % b2a_base64(vector.astype(_BIG_ENDIAN).tobytes(), newline=False)


def plain(vector: Vectors) -> bytes:
    """A vector in JSON as every version takes it: numbers in the shortest decimal form of float32."""
    return orjson.dumps(np.ascontiguousarray(vector, dtype=np.float32), option=orjson.OPT_SERIALIZE_NUMPY)


def knn(vector: bytes, k: int, candidates: int, where: Query | None, options: bytes) -> bytes:
    """A search for k neighbours. vector: in JSON. options: further members of the query.

    As a query, not at the top level: that would be a phase of its own and take about a third longer.
    """
    condition = b"" if where is None else b',"filter":%b' % orjson.dumps(where)
    query = b'{"knn":{"field":"%b","query_vector":%b,"k":%d,"num_candidates":%d%b%b}}'
    return _SEARCH % (
        k,
        query % (VECTOR.encode(), vector, k, max(k, candidates), options, condition),
    )


def script(vector: Vectors, k: int, metric: Metric, where: Query | None) -> bytes:
    """A search that compares every match with the vector."""
    condition: Query = {"match_all": {}} if where is None else {"bool": {"filter": where}}
    source = _DISTANCE if metric == "l2" else _PRODUCT
    query = b'{"script_score":{"query":%b,"script":{"source":%b,"params":{"vector":%b}}}}'
    return _SEARCH % (k, query % (orjson.dumps(condition), orjson.dumps(source), plain(vector)))


# Docs: "dense_vector", similarity: how _score is made of each, here turned round. It is a float32, for l2 between 0 and
# 1: distances that differ by less than 1e-7 are one.
def _squared_distance(score: float) -> float:
    return 1 / score - 1 if score else float("inf")


def _inner_product(score: float) -> float:
    return score - 1 if score >= 1 else 1 - 1 / score if score else float("-inf")


def decoder(metric: Metric) -> Callable[[bytes], tuple[Sequence[int], Sequence[float]]]:
    """Reads ids and scores from the answer to a search. Raises ValueError for anything else."""
    convert = _squared_distance if metric == "l2" else _inner_product

    def decode(raw: bytes) -> tuple[Sequence[int], Sequence[float]]:
        try:
            hits = orjson.loads(raw)["hits"]["hits"]
            return [hit["fields"][ID][0] for hit in hits], [convert(hit["_score"]) for hit in hits]
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError(f"no answer to a search: {raw[:200]!r}") from error

    return decode


def upserts(batch: Batch, schema: Schema, pack: Callable[[Vectors], bytes]) -> list[bytes]:
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
    vectors = comparable(batch.vectors, schema.metric)
    vector = b'"%b":' % VECTOR.encode()
    return [
        b'{"index":{"_id":"%d"}}\n{%b%b,%b\n'
        % (values[0], vector, pack(row), orjson.dumps(dict(zip(columns, values, strict=True)))[1:])
        for row, *values in zip(vectors, *columns.values(), strict=True)
    ]


def deletions(ids: Ids) -> list[bytes]:
    """One operation of a bulk request for each id."""
    return [b'{"delete":{"_id":"%d"}}\n' % id_ for id_ in ids.tolist()]
