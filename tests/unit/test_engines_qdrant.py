"""The Qdrant server engine without a server: parameters, the collection they make, filters, requests and answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from pydantic import ValidationError

pytest.importorskip("qdrant_client")

from qdrant_client import grpc, models
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc

from engines.base import Batch, EngineError, Field, Keywords, Schema, UnsupportedError
from engines.filters import And, Eq, Filter, In, Not, Or, Range
from engines.qdrant.filters import GrpcConditions, RestConditions, as_filter, as_json
from engines.qdrant.grpc_points import GrpcPoints
from engines.qdrant.params import IndexParams, SearchParams, collection, searching
from engines.qdrant.rest_points import RestPoints
from engines.server import Endpoint

SCHEMA = Schema(
    3,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("size", "float"), Field("new", "boolean")),
)
ENDPOINT = Endpoint("http://127.0.0.1:6333", api_key="s3cret")
COLUMNS = {
    "brand": Keywords.encode(["Zara", "", "日本\0語"]),
    "price": np.array([-(2**63), 0, 2**63 - 1]),
    "size": np.array([0.1, -0.0, 5e-324]),
    "new": np.array([True, False, True]),
}
BATCH = Batch(
    np.array([0, 7, 2**62]), np.array([[1, 2, 3], [0, 0, 0], [-1, 0.1, 1e-30]], np.float32), COLUMNS
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


def over_grpc(metric: str = "l2") -> GrpcPoints:
    schema = Schema(3, metric, SCHEMA.fields)  # type: ignore[arg-type]
    points = GrpcPoints(ENDPOINT, 6334, "bakeoff_1", schema)
    points.prepare(
        searching(SearchParams(), IndexParams(), exact=False),
        searching(SearchParams(), IndexParams(), exact=True),
    )
    return points


def test_the_grpc_query_is_what_the_generated_types_would_make() -> None:
    points, sent = over_grpc(), []
    points._query = lambda request, **_: sent.append(request) or b""
    vector = np.array([1, -2.5, 3e-5], np.float32)
    vector.setflags(write=False)
    points.query(vector, 2**20, Eq("brand", "a"), exact=False)
    points.query(vector[::-1], 1, None, exact=True)
    first, second = (grpc.QueryPoints.FromString(request) for request in sent)
    assert first == grpc.QueryPoints(
        collection_name="bakeoff_1",
        query=grpc.Query(
            nearest=grpc.VectorInput(dense=grpc.DenseVector(data=np.array([1, -2.5, 3e-5], np.float32)))
        ),
        filter=grpc.Filter(
            must=[grpc.Condition(field=grpc.FieldCondition(key="f0", match=grpc.Match(keyword="a")))]
        ),
        params=grpc.SearchParams(hnsw_ef=64, exact=False, indexed_only=False),
        limit=2**20,
        with_payload=grpc.WithPayloadSelector(enable=False),
        with_vectors=grpc.WithVectorsSelector(enable=False),
    )
    assert list(second.query.nearest.dense.data) == vector[::-1].tolist()
    assert second.params.exact
    assert second.params.quantization.ignore
    assert not second.HasField("filter")


def test_grpc_upserts_hold_every_row() -> None:
    requests = [grpc.UpsertPoints.FromString(request) for request in over_grpc().upserts(BATCH, 2)]
    assert [(request.collection_name, request.wait, len(request.points)) for request in requests] == [
        ("bakeoff_1", True, 2),
        ("bakeoff_1", True, 1),
    ]
    points = [GrpcToRest.convert_point_struct(point) for request in requests for point in request.points]
    check_rows(points)


def check_rows(points: list[models.PointStruct]) -> None:
    assert [point.id for point in points] == BATCH.ids.tolist()
    assert [point.vector for point in points] == BATCH.vectors.tolist()
    for row, point in enumerate(points):
        expected = {
            "f0": ["Zara", "", "日本\0語"][row],
            "f1": COLUMNS["price"].tolist()[row],  # type: ignore[union-attr]
            "f2": COLUMNS["size"].tolist()[row],  # type: ignore[union-attr]
            "f3": COLUMNS["new"].tolist()[row],  # type: ignore[union-attr]
        }
        assert point.payload == expected
        assert [type(point.payload[alias]) for alias in expected] == [str, int, float, bool]


def test_requests_are_bounded_by_bytes_too() -> None:
    schema = Schema(65_536, "ip")
    batch = Batch(np.arange(100), np.zeros((100, 65_536), np.float32))
    sizes = [len(request) for request in GrpcPoints(ENDPOINT, 6334, "x", schema).upserts(batch, 1000)]
    assert len(sizes) == 2
    assert max(sizes) < 17 << 20


def test_grpc_answers_are_decoded_when_they_are_looked_at() -> None:
    points = over_grpc()
    answer = grpc.QueryResponse(
        result=[grpc.ScoredPoint(id=grpc.PointId(num=2**63 - 1), score=3), grpc.ScoredPoint(score=4)]
    )
    points._query = lambda request, **_: answer.SerializeToString()
    hits = points.query(np.zeros(3, np.float32), 2, None, exact=False)
    assert (list(hits.ids), list(hits.scores)) == ([2**63 - 1, 0], [9.0, 16.0])
    points = over_grpc("cosine")
    points._query = lambda request, **_: answer.SerializeToString()
    assert list(points.query(np.zeros(3, np.float32), 2, None, exact=False).scores) == [3.0, 4.0]
    points._query = lambda request, **_: b"\xff\xff"
    hits = points.query(np.zeros(3, np.float32), 2, None, exact=False)
    with pytest.raises(ValueError, match="no QueryResponse"):
        list(hits.ids)


def over_rest() -> tuple[RestPoints, list[tuple[str, bytes]]]:
    points, sent = RestPoints(ENDPOINT, "bakeoff_1", SCHEMA), []

    def post(target: str, body: bytes) -> bytes:
        sent.append((target, body))
        answer = {"points": [{"id": 5, "version": 1, "score": 2.0}]}
        return orjson.dumps({"result": answer if "query" in target else [{"status": "completed"}]})

    points._http.post = post  # type: ignore[method-assign]
    points.prepare(
        searching(SearchParams(acorn=True), IndexParams(), exact=False),
        searching(SearchParams(), IndexParams(), exact=True),
    )
    return points, sent


def test_rest_requests_are_valid() -> None:
    points, sent = over_rest()
    hits = points.query(np.array([1, 2, 3], np.float32)[::-1], 4, Eq("new", True), exact=False)
    assert (list(hits.ids), list(hits.scores)) == ([5], [4.0])
    target, body = sent.pop()
    assert target == "/collections/bakeoff_1/points/query"
    query = models.QueryRequest.model_validate_json(body, strict=True)
    assert query.query == [3.0, 2.0, 1.0]
    assert (query.limit, query.with_payload, query.with_vector) == (4, False, False)
    assert query.params == models.SearchParams(hnsw_ef=64, acorn=models.AcornSearchParams(enable=True))
    for request in points.upserts(BATCH, 2):
        points.upsert(request)
    points.delete(np.array([3, 2**62]))
    targets, bodies = zip(*sent, strict=True)
    assert set(targets) == {"/collections/bakeoff_1/points/batch?wait=true"}
    *upserts, delete = (models.UpdateOperations.model_validate_json(b, strict=True) for b in bodies)
    batches: list[Any] = [operation.operations[0].upsert.batch for operation in upserts]  # type: ignore[union-attr]
    rows = [row for b in batches for row in zip(b.ids, b.vectors, b.payloads, strict=True)]
    check_rows(
        [
            models.PointStruct(id=id_, vector=np.float32(vector).tolist(), payload=payload)
            for id_, vector, payload in rows
        ]
    )
    assert delete.operations[0].delete.points == [3, 2**62]  # type: ignore[union-attr]


def test_rest_requests_are_halved_until_they_fit() -> None:
    words = ["x" * 65_000] * 600  # 39 MB in one request
    batch = Batch(np.arange(600), np.zeros((600, 2), np.float32), {"brand": Keywords.encode(words)})
    points = RestPoints(ENDPOINT, "x", Schema(2, "ip", (Field("brand", "keyword"),)))
    requests = list(points.upserts(batch, 1000))
    assert max(map(len, requests)) <= 16 << 20
    ids = [id_ for r in requests for id_ in orjson.loads(r)["operations"][0]["upsert"]["batch"]["ids"]]
    assert ids == list(range(600))


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"result": {"points": [{"id": 1}]}}', b'{"status": "ok"}'])
def test_rest_answers_that_are_none(answer: bytes) -> None:
    points, _ = over_rest()
    points._http.post = lambda target, body: answer  # type: ignore[method-assign]
    hits = points.query(np.zeros(3, np.float32), 1, None, exact=False)
    with pytest.raises(ValueError, match="qdrant: the answer is no list of points"):
        list(hits.ids)


def test_a_key_that_no_header_can_hold_is_refused_and_not_shown() -> None:
    for kind in (
        lambda endpoint: GrpcPoints(endpoint, 6334, "x", SCHEMA),
        lambda endpoint: RestPoints(endpoint, "x", SCHEMA),
    ):
        with pytest.raises(EngineError, match="printable ASCII") as caught:
            kind(Endpoint("http://127.0.0.1:6333", api_key="s3cret\n"))
        assert "s3cret" not in str(caught.value)
