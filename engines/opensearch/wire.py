"""Searches for neighbours as OpenSearch's k-NN plugin takes them."""

from __future__ import annotations

from functools import lru_cache

from engines.base import Metric, Vectors
from engines.lucene.documents import comparable, dump, opening, search, vector_json
from engines.lucene.filters import Query
from engines.lucene.params import VECTOR
from engines.opensearch.params import SPACES

SEARCH = "_search?allow_partial_search_results=false&filter_path=hits.hits.fields,hits.hits._score"


def knn(vector: bytes, k: int, candidates: int, where: Query | None, options: bytes) -> bytes:
    """A search for the k best of `candidates` neighbours; the filter is applied while searching.

    vector: in JSON. options: further members of the query.
    """
    condition = b"" if where is None else b',"filter":%b' % dump(where)
    return b"".join((_knn_opening(k, candidates, options), vector, condition, b"}}}}"))


@lru_cache
def _knn_opening(k: int, candidates: int, options: bytes) -> bytes:
    query = b'{"knn":{"%b":{"k":%d%b,"vector":'
    return opening(k) + query % (VECTOR.encode(), candidates, options)


def script(vector: Vectors, k: int, metric: Metric, where: Query | None) -> bytes:
    """A search that compares every match with the vector. Docs: "Exact k-NN with a scoring script"."""
    condition = {"match_all": {}} if where is None else {"bool": {"filter": where}}
    query = (
        b'{"script_score":{"query":%b,"script":{"lang":"knn","source":"knn_score",'
        b'"params":{"field":"%b","query_value":%b,"space_type":"%b"}}}}'
    )
    space = SPACES[metric].encode()
    return search(
        k, query % (dump(condition), VECTOR.encode(), vector_json(comparable(vector, metric)), space)
    )
