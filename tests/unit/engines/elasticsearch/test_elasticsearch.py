"""What the Elasticsearch adapter sends and how it reads answers, without a server."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

pytest.importorskip("elasticsearch")


from engines.base import Batch, EngineError, Field, Schema
from engines.elasticsearch import wire
from engines.elasticsearch.adapter import Elasticsearch
from engines.elasticsearch.params import IndexParams, SearchParams
from engines.filters import Eq
from engines.lucene.documents import upserts, vector_json
from engines.lucene.filters import Queries

SCHEMA = Schema(
    3,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("rating", "float"), Field("new", "boolean")),
)


# Parameters


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"type": "flat", "m": 8}, "m: no parameter of type: flat"),
        ({"type": "bbq_flat", "ef_construction": 50}, "ef_construction: no parameter of type: bbq_flat"),
        ({"type": "int8_flat", "hnsw_filter_heuristic": "fanout"}, "hnsw_filter_heuristic: no parameter"),
        ({"type": "HNSW"}, "type"),
        ({"refresh_interval": "soon"}, "refresh_interval"),
        ({"thread_count": 0}, "thread_count"),
    ],
)
def test_index_parameters_that_do_not_fit_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        IndexParams(**given)


def test_parameters_reach_mapping_and_settings() -> None:
    params = IndexParams(type="int8_hnsw", m=8, number_of_shards=3, hnsw_filter_heuristic="fanout")
    fields = params.mappings(SCHEMA)["properties"]
    assert fields["vector"] == {
        "type": "dense_vector",
        "dims": 3,
        "similarity": "l2_norm",
        "index_options": {"type": "int8_hnsw", "m": 8, "ef_construction": 100},
    }
    kinds = [fields[f"f{position}"]["type"] for position in range(4)]
    assert kinds == ["keyword", "long", "double", "boolean"]
    settings = params.settings()
    assert (settings["number_of_shards"], settings["refresh_interval"]) == (3, "-1")
    assert settings["dense_vector.hnsw_filter_heuristic"] == "fanout"
    assert IndexParams(type="flat").mappings(SCHEMA)["properties"]["vector"]["index_options"] == {
        "type": "flat"
    }


@pytest.mark.parametrize(
    ("kind", "search", "options"),
    [
        ("hnsw", {}, b""),
        ("flat", {}, b""),
        ("int8_hnsw", {}, b',"rescore_vector":{"oversample":1.0}'),
        ("int4_hnsw", {}, b',"rescore_vector":{"oversample":2.0}'),
        ("bbq_flat", {}, b',"rescore_vector":{"oversample":3.0}'),
        ("int4_flat", {"oversample": 0}, b',"rescore_vector":{"oversample":0.0}'),
    ],
)
def test_quantized_candidates_are_rescored(kind: Any, search: dict[str, Any], options: bytes) -> None:
    assert SearchParams(**search).rescoring(IndexParams(type=kind)) == options


def test_rescoring_that_means_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="oversample must be 0 or between 1 and 10"):
        SearchParams(oversample=0.5)
    with pytest.raises(EngineError, match="oversample goes with quantized types, not with hnsw"):
        Elasticsearch(tmp_path, IndexParams()).configure(SearchParams(oversample=2))


def test_exact_search_is_declared_by_type(tmp_path: Path) -> None:
    def exact(**index: Any) -> bool:
        return Elasticsearch(tmp_path, IndexParams(**index)).capabilities.exact

    assert exact(type="flat")
    assert exact(type="bbq_hnsw", script_score=True)
    assert not exact()
    assert not exact(type="int8_flat")


# What goes over the wire


def test_a_search_is_json_as_the_documentation_has_it() -> None:
    vector = np.array([1.5, -2, 3e-20], dtype=np.float32)
    where = Queries(SCHEMA).translate(Eq("brand", "Zara"))
    body = json.loads(wire.knn(wire.pack(vector), 80, 64, where, b',"rescore_vector":{"oversample":2.0}'))
    knn = body["query"]["knn"]
    packed = np.frombuffer(b64decode(knn.pop("query_vector")), dtype=">f4")
    np.testing.assert_array_equal(packed, vector)
    assert knn == {
        "field": "vector",
        "k": 80,
        "num_candidates": 80,  # never fewer than k
        "filter": {"term": {"f0": "Zara"}},
        "rescore_vector": {"oversample": 2.0},
    }
    assert (body["size"], body["_source"], body["stored_fields"]) == (80, False, "_none_")
    numbers = json.loads(wire.knn(vector_json(vector[::-1]), 5, 64, None, b""))["query"]["knn"]
    np.testing.assert_array_equal(np.float32(numbers["query_vector"]), vector[::-1])
    assert numbers["num_candidates"] == 64
    assert "filter" not in numbers


@pytest.mark.parametrize(
    ("metric", "function"), [("l2", "l2norm("), ("ip", "dotProduct("), ("cosine", "dotProduct(")]
)
def test_an_exact_search_is_a_script(metric: Any, function: str) -> None:
    body = json.loads(wire.script(np.ones(2, np.float32), 7, metric, {"terms": {"f0": ["a"]}}))
    score = body["query"]["script_score"]
    assert function in score["script"]["source"]
    assert score["script"]["params"] == {"vector": [1.0, 1.0]}
    assert score["query"] == {"bool": {"filter": {"terms": {"f0": ["a"]}}}}
    assert body["size"] == 7
    everything = json.loads(wire.script(np.ones(2, np.float32), 7, metric, None))
    assert everything["query"]["script_score"]["query"] == {"match_all": {}}


def test_documents_hold_packed_vectors() -> None:
    batch = Batch(np.arange(1), np.ones((1, 3), dtype=np.float32))
    _, document = upserts(batch, Schema(3, "l2"), wire.pack)[0].splitlines()
    content = json.loads(document)
    assert (content["id"], b64decode(content["vector"])) == (0, b"\x3f\x80\x00\x00" * 3)
