"""Searches for neighbours as Elasticsearch takes them."""

from __future__ import annotations

from binascii import b2a_base64
from functools import lru_cache

import numpy as np
import orjson

from engines.base import Metric, Vectors
from engines.lucene.documents import dump, opening, search, vector_json
from engines.lucene.filters import Query
from engines.lucene.params import VECTOR

_BIG_ENDIAN = np.dtype(">f4")
# Docs: "script_score", "Functions for vector fields". The scores are those of kNN search.
_DISTANCE = f"1 / (1 + Math.pow(l2norm(params.vector, '{VECTOR}'), 2))"
_PRODUCT = f"double p = dotProduct(params.vector, '{VECTOR}'); return p < 0 ? 1 / (1 - p) : p + 1"


def pack(vector: Vectors) -> bytes:
    """A vector in JSON as Elasticsearch takes it since 9.4: base64 of its big-endian float32."""
    return b'"%b"' % b2a_base64(vector.astype(_BIG_ENDIAN).data, newline=False)


def knn(vector: bytes, k: int, candidates: int, where: Query | None, options: bytes) -> bytes:
    """A search for k neighbours. vector: in JSON. options: further members of the query.

    As a query, not at the top level: that would be a phase of its own and take about a third longer.
    """
    condition = b"" if where is None else b',"filter":%b' % dump(where)
    return b"".join((_knn_opening(k, candidates, options), vector, condition, b"}}}"))


@lru_cache
def _knn_opening(k: int, candidates: int, options: bytes) -> bytes:
    query = b'{"knn":{"field":"%b","k":%d,"num_candidates":%d%b,"query_vector":'
    return opening(k) + query % (VECTOR.encode(), k, max(k, candidates), options)


def script(vector: Vectors, k: int, metric: Metric, where: Query | None) -> bytes:
    """A search that compares every match with the vector."""
    condition: Query = {"match_all": {}} if where is None else {"bool": {"filter": where}}
    source = _DISTANCE if metric == "l2" else _PRODUCT
    query = b'{"script_score":{"query":%b,"script":{"source":%b,"params":{"vector":%b}}}}'
    return search(k, query % (dump(condition), orjson.dumps(source), vector_json(vector)))
