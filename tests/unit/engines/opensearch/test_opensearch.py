"""The OpenSearch adapter: filters, documents, answers, parameters."""

from __future__ import annotations

import json

import numpy as np
import pytest
from pydantic import ValidationError

pytest.importorskip("opensearchpy")

from engines.base import EngineError, Field, Schema
from engines.filters import And, Eq, Filter, In, Not
from engines.lucene.documents import vector_json
from engines.opensearch import wire
from engines.opensearch.filters import Queries
from engines.opensearch.params import IndexParams, SearchParams

SCHEMA = Schema(
    3,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("size", "float"), Field("new", "boolean")),
)
BARE = Schema(3, "l2")


@pytest.mark.parametrize("inner", [In("price", (1, 2)), Not(Eq("new", True)), And((Eq("new", True),))])
def test_what_opensearch_negates_wrongly_is_hidden_from_its_rewriting(inner: Filter) -> None:
    queries = Queries(SCHEMA)
    hidden = {"constant_score": {"filter": queries.translate(inner)}}
    assert queries.translate(Not(inner)) == {"bool": {"must_not": [hidden]}}


def test_searches() -> None:
    vector = np.array([3, 0, 4], dtype=np.float32)
    body = json.loads(wire.knn(vector_json(vector), 7, 9, {"term": {"f1": 1}}, b',"a":1'))
    assert body["size"] == 7
    knn = body["query"]["knn"]["vector"]
    assert knn == {"vector": [3, 0, 4], "k": 9, "a": 1, "filter": {"term": {"f1": 1}}}
    bare = json.loads(wire.knn(vector_json(vector), 7, 9, None, b""))["query"]["knn"]["vector"]
    assert bare == {"vector": [3, 0, 4], "k": 9}
    score = json.loads(wire.script(vector, 7, "l2", {"term": {"f1": 1}}))["query"]["script_score"]
    assert score["query"] == {"bool": {"filter": {"term": {"f1": 1}}}}
    assert score["script"] == {
        "lang": "knn",
        "source": "knn_score",
        "params": {"field": "vector", "query_value": [3, 0, 4], "space_type": "l2"},
    }


def test_parameters() -> None:
    compressed = IndexParams(engine="faiss", mode="on_disk", compression_level="32x", m=8)
    vector = compressed.mappings(BARE)["properties"]["vector"]
    assert vector["method"]["parameters"] == {"m": 8, "ef_construction": 100}
    assert (vector["mode"], vector["compression_level"], vector["space_type"]) == ("on_disk", "32x", "l2")
    assert SearchParams().factor(compressed) == 3.0
    assert b',"rescore":false' in SearchParams(oversample_factor=0).options(compressed, 10)
    assert b',"rescore":{"oversample_factor":1.0}' in SearchParams(oversample_factor=5).options(
        compressed, 10
    )
    assert SearchParams(ef_search=9).options(IndexParams(), 5) == b',"method_parameters":{"ef_search":9}'
    assert SearchParams(ef_search=9).options(IndexParams(), 20) == b',"method_parameters":{"ef_search":20}'
    with pytest.raises(EngineError, match="oversample_factor needs a compression_level"):
        SearchParams(oversample_factor=2).factor(IndexParams())
    with pytest.raises(ValidationError, match="must be 0 or between 1 and 100"):
        SearchParams(oversample_factor=0.5)
