"""The Qdrant server engine without a server: parameters, the collection they make, and filters."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from pydantic import ValidationError

pytest.importorskip("qdrant_client")
pytest.importorskip("qdrant_edge")

from qdrant_client import models
from qdrant_client.conversions.conversion import RestToGrpc

from engines.base import Field, Schema, UnsupportedError
from engines.filters import And, Eq, Filter, In, Not, Or, Range
from engines.qdrant.edge import QdrantEdge
from engines.qdrant.filters import GrpcConditions, RestConditions, as_filter, as_json
from engines.qdrant.params import IndexParams, SearchParams, collection, searching
from engines.values.contents import contents
from tests.servers.qdrant_collections import Collections, RefusedError

SCHEMA = Schema(
    3,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("size", "float"), Field("new", "boolean")),
)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({"quantile": 0.9}, "quantile: no parameter of quantization: none, remove it"),
        (
            {"quantization": "scalar", "compression": "x4"},
            "compression: no parameter of quantization: scalar",
        ),
        ({"always_ram": False}, "always_ram: no parameter of quantization: none"),
        ({"quantization": "scalar", "quantile": 0.3}, "quantile"),
        ({"parallel": 0}, "parallel"),
        ({"on_disk": True}, "on_disk"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(given: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValidationError, match=complaint):
        IndexParams.model_validate(given)


@pytest.mark.parametrize("kind", [IndexParams, QdrantEdge.IndexParams], ids=["server", "edge"])
def test_a_full_scan_threshold_that_a_server_refuses_is_refused_first(kind: Any) -> None:
    assert kind(full_scan_threshold=10).full_scan_threshold == 10
    with pytest.raises(ValidationError, match="greater than or equal to 10"):
        kind(full_scan_threshold=9)


@pytest.mark.parametrize("threshold", [9, 10])
def test_the_stand_in_refuses_the_thresholds_that_a_server_refuses(threshold: int) -> None:
    request = models.CreateCollection(
        vectors=models.VectorParams(size=3, distance=models.Distance.DOT),
        hnsw_config=models.HnswConfigDiff(full_scan_threshold=threshold),
    )
    collections = Collections()
    if threshold == 10:
        collections.create("ours", request)
        return
    with pytest.raises(RefusedError, match=r"hnsw_config\.full_scan_threshold"):
        collections.create("ours", request)


def test_parameters_reach_the_collection_by_both_protocols() -> None:
    params = IndexParams(
        m=8,
        ef_construct=50,
        full_scan_threshold=11,
        max_indexing_threads=3,
        hnsw_on_disk=True,
        vectors_on_disk=True,
        indexing_threshold=0,
        default_segment_number=2,
        max_segment_size=9,
        quantization="scalar",
        quantile=0.99,
        always_ram=False,
        shard_number=6,
        replication_factor=2,
        write_consistency_factor=2,
    )
    made = collection(SCHEMA, params)
    request = models.CreateCollection(vectors=made.pop("vectors_config"), **made)
    sent = orjson.loads(request.model_dump_json(exclude_none=True))
    assert sent == {
        "vectors": {"size": 3, "distance": "Euclid", "on_disk": True},
        "hnsw_config": {
            "m": 8,
            "ef_construct": 50,
            "full_scan_threshold": 11,
            "max_indexing_threads": 3,
            "on_disk": True,
        },
        "optimizers_config": {"indexing_threshold": 0, "default_segment_number": 2, "max_segment_size": 9},
        "quantization_config": {"scalar": {"type": "int8", "quantile": 0.99, "always_ram": False}},
        "shard_number": 6,
        "replication_factor": 2,
        "write_consistency_factor": 2,
        "metadata": {"bakeoff": contents(SCHEMA, params)},
    }
    hnsw = RestToGrpc.convert_hnsw_config_diff(made["hnsw_config"])
    assert (hnsw.m, hnsw.ef_construct, hnsw.on_disk, hnsw.max_indexing_threads) == (8, 50, True, 3)
    optimizers = RestToGrpc.convert_optimizers_config_diff(made["optimizers_config"])
    assert optimizers.HasField("indexing_threshold")
    assert optimizers.indexing_threshold == 0


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        (IndexParams(), None),
        (IndexParams(quantization="binary"), {"binary": {"always_ram": True}}),
        (IndexParams(quantization="product", compression="x32"), {"product": {"compression": "x32"}}),
    ],
)
def test_quantization(params: IndexParams, expected: dict[str, Any] | None) -> None:
    config = collection(SCHEMA, params)["quantization_config"]
    if expected is None:
        assert config is None
        return
    sent = config.model_dump(mode="json", exclude_none=True)
    (kind,) = expected
    assert sent[kind].items() >= expected[kind].items()
    assert RestToGrpc.convert_quantization_config(config).WhichOneof("quantization") == kind


def test_search_parameters() -> None:
    def sent(search: SearchParams, params: IndexParams, exact: bool) -> dict[str, Any]:
        dumped: dict[str, Any] = searching(search, params, exact=exact).model_dump(exclude_none=True)
        return dumped

    defaults = {"exact": False, "indexed_only": False}
    assert sent(SearchParams(), IndexParams(), False) == {**defaults, "hnsw_ef": 64}
    assert sent(SearchParams(), IndexParams(), True) == {
        **defaults,
        "exact": True,
        "quantization": {"ignore": True},
    }
    for quantization, expected in (("scalar", 1.0), ("binary", 4.0), ("product", 4.0)):
        refined = sent(SearchParams(), IndexParams(quantization=quantization), False)["quantization"]
        assert refined == {"ignore": False, "rescore": True, "oversampling": expected}
    quantized = IndexParams(quantization="binary")
    assert sent(SearchParams(hnsw_ef=9, acorn=True, rescore=False, oversampling=2), quantized, False) == {
        **defaults,
        "hnsw_ef": 9,
        "acorn": {"enable": True},
        "quantization": {"ignore": False, "rescore": False, "oversampling": 2.0},
    }


FILTERS: list[tuple[Filter, dict[str, Any]]] = [
    (Eq("brand", "it's"), {"must": [{"key": "f0", "match": {"value": "it's"}}]}),
    (In("brand", ("a", "")), {"must": [{"key": "f0", "match": {"any": ["a", ""]}}]}),
    (Eq("price", -(2**63)), {"must": [{"key": "f1", "match": {"value": -(2**63)}}]}),
    (In("price", (1, 2**63 - 1)), {"must": [{"key": "f1", "match": {"any": [1, 2**63 - 1]}}]}),
    (Eq("size", 1), {"must": [{"key": "f2", "range": {"gte": 1.0, "lte": 1.0}}]}),
    (
        In("size", (0.1, 2)),
        {
            "should": [
                {"key": "f2", "range": {"gte": 0.1, "lte": 0.1}},
                {"key": "f2", "range": {"gte": 2.0, "lte": 2.0}},
            ]
        },
    ),
    (Eq("new", False), {"must": [{"key": "f3", "match": {"value": False}}]}),
    (
        In("new", (True, False)),
        {"should": [{"key": "f3", "match": {"value": True}}, {"key": "f3", "match": {"value": False}}]},
    ),
    (Range("price", gt=1, lt=5), {"must": [{"key": "f1", "range": {"gte": 2.0, "lte": 4.0}}]}),
    (Range("price", gte=2**53 + 1), {"must": [{"key": "f1", "range": {"gt": float(2**53)}}]}),
    (Range("size", gt=0.5, lte=1), {"must": [{"key": "f2", "range": {"gt": 0.5, "lte": 1.0}}]}),
    (In("brand", ()), {"must": [{"has_id": []}]}),
    (Or(()), {"must": [{"has_id": []}]}),
    (And(()), {"must": []}),
    (
        And((Eq("new", True), Not(Or((Eq("brand", "a"), Eq("price", 1)))))),
        {
            "must": [
                {"key": "f3", "match": {"value": True}},
                {
                    "must_not": [
                        {
                            "should": [
                                {"key": "f0", "match": {"value": "a"}},
                                {"key": "f1", "match": {"value": 1}},
                            ]
                        }
                    ]
                },
            ]
        },
    ),
]


@pytest.mark.parametrize(("where", "expected"), FILTERS)
def test_filters_say_the_same_over_rest_and_grpc(where: Filter, expected: dict[str, Any]) -> None:
    sent = orjson.loads(orjson.dumps(as_json(RestConditions(SCHEMA).translate(where))))
    assert sent == expected
    by_rest = models.Filter.model_validate_json(orjson.dumps(sent), strict=True)
    by_grpc = as_filter(GrpcConditions(SCHEMA).translate(where))
    assert RestToGrpc.convert_filter(by_rest) == by_grpc


def test_bounds_that_float64_cannot_hold_are_refused() -> None:
    for conditions in (GrpcConditions(SCHEMA), RestConditions(SCHEMA)):
        with pytest.raises(UnsupportedError, match="float64"):
            conditions.translate(Range("price", gte=2**60 + 3))
