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

from engines.base import Batch, EngineError, Field, Keywords, Schema
from engines.elasticsearch import wire
from engines.elasticsearch.adapter import Elasticsearch
from engines.elasticsearch.filters import Queries
from engines.elasticsearch.params import IndexParams, SearchParams
from engines.filters import And, Eq, Filter, In, Not, Or, Range

SCHEMA = Schema(
    3,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("rating", "float"), Field("new", "boolean")),
)


def rows(count: int) -> Batch:
    columns = {
        "brand": Keywords.encode(["Zara"] * count),
        "price": np.arange(count),
        "rating": np.full(count, 0.5),
        "new": np.ones(count, dtype=np.bool_),
    }
    return Batch(np.arange(count), np.ones((count, 3), dtype=np.float32), columns)


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


# Filters


@pytest.mark.parametrize(
    ("where", "query"),
    [
        (Eq("brand", 'a"\\\n\x00é'), {"terms": {"f0": ['a"\\\n\x00é']}}),
        (In("price", (-(2**63), 2**63 - 1)), {"terms": {"f1": [-(2**63), 2**63 - 1]}}),
        (In("price", ()), {"match_none": {}}),
        (Eq("rating", 3), {"terms": {"f2": [3.0]}}),
        (Eq("new", False), {"terms": {"f3": [False]}}),
        (Range("price", gt=1, lt=2.5), {"range": {"f1": {"gte": 2, "lte": 2}}}),
        (Range("price", gte=-(2**63)), {"match_all": {}}),
        (Range("rating", gt=0, lte=1), {"range": {"f2": {"gt": 0.0, "lte": 1.0}}}),
        (
            And((Eq("new", True), Not(Eq("price", 1)))),
            {
                "bool": {
                    "filter": [
                        {"terms": {"f3": [True]}},
                        {"bool": {"must_not": {"terms": {"f1": [1]}}}},
                    ]
                }
            },
        ),
        (
            Or((Eq("new", True),)),
            {"bool": {"should": [{"terms": {"f3": [True]}}], "minimum_should_match": 1}},
        ),
        (Or(()), {"match_none": {}}),
    ],
)
def test_filters(where: Filter, query: dict[str, Any]) -> None:
    assert Queries(SCHEMA).translate(where) == query


def test_negative_zero_is_written_as_zero() -> None:
    for where in (Eq("rating", -0.0), Range("rating", gte=-0.0)):
        assert "-0.0" not in json.dumps(Queries(SCHEMA).translate(where))


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
        "filter": {"terms": {"f0": ["Zara"]}},
        "rescore_vector": {"oversample": 2.0},
    }
    assert (body["size"], body["_source"], body["stored_fields"]) == (80, False, "_none_")
    plain = json.loads(wire.knn(wire.plain(vector[::-1]), 5, 64, None, b""))["query"]["knn"]
    np.testing.assert_array_equal(np.float32(plain["query_vector"]), vector[::-1])
    assert plain["num_candidates"] == 64
    assert "filter" not in plain


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


@pytest.mark.parametrize(
    ("metric", "scores", "expected"),
    [
        ("l2", [1.0, 0.5, 0.2], [0, 1, 4]),
        ("l2", [0.0], [np.inf]),
        ("ip", [3.5, 1.0, 0.5, 0.25], [2.5, 0, -1, -3]),
        ("cosine", [2.0, 1.0, 0.5], [1, 0, -1]),
    ],
)
def test_scores_are_turned_back(metric: Any, scores: list[float], expected: list[float]) -> None:
    hits = [{"_score": score, "fields": {"id": [7]}} for score in scores]
    ids, found = wire.decoder(metric)(json.dumps({"hits": {"hits": hits}}).encode())
    assert ids == [7] * len(scores)
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize(
    "raw", [b"{}", b"[]", b"<html>", b'{"hits": {"hits": [{"_score": 1.0, "fields": {"id": []}}]}}']
)
def test_what_is_no_answer_is_an_error(raw: bytes) -> None:
    with pytest.raises(ValueError):  # of orjson or ours
        wire.decoder("l2")(raw)


def test_documents() -> None:
    first, second = wire.upserts(rows(2), SCHEMA, wire.pack)
    assert first.endswith(b"\n")
    action, document = first.splitlines()
    assert json.loads(action) == {"index": {"_id": "0"}}
    content = json.loads(document)
    assert b64decode(content.pop("vector")) == b"\x3f\x80\x00\x00" * 3
    assert content == {"id": 0, "f0": "Zara", "f1": 0, "f2": 0.5, "f3": True}
    assert json.loads(second.splitlines()[1])["id"] == 1
    assert wire.deletions(np.array([5, 2**62])) == [
        b'{"delete":{"_id":"5"}}\n',
        b'{"delete":{"_id":"4611686018427387904"}}\n',
    ]


def test_vectors_are_unit_under_cosine_only_and_zero_stays_zero() -> None:
    schema = Schema(2, "cosine")
    batch = Batch(np.arange(2), np.array([[3, 4], [0, 0]], dtype=np.float32))
    vectors = [json.loads(line.splitlines()[1])["vector"] for line in wire.upserts(batch, schema, wire.plain)]
    np.testing.assert_allclose(vectors, [[0.6, 0.8], [0, 0]], rtol=1e-6)
    assert wire.comparable(batch.vectors, "ip") is batch.vectors


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_numbers_that_json_cannot_hold_are_refused(number: float) -> None:
    batch = rows(2)
    batch.attributes["rating"][1] = number  # type: ignore[index]
    with pytest.raises(EngineError, match=r"'rating' of id 1 is .*, not finite"):
        wire.upserts(batch, SCHEMA, wire.pack)
