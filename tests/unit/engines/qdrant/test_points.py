"""Requests of the Qdrant server engine as the client's own types see them, and answers; without a server."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest

pytest.importorskip("qdrant_client")

from qdrant_client import grpc, models
from qdrant_client.conversions.conversion import GrpcToRest

from engines.base import Batch, EngineError, Field, Schema
from engines.columns import Keywords, Nullable, Tags
from engines.filters import Eq, Exists, Filter, Range
from engines.qdrant.filters import GrpcConditions, RestConditions
from engines.qdrant.params import IndexParams, SearchParams, searching
from engines.qdrant.points.over_grpc import GrpcPoints
from engines.qdrant.points.over_rest import RestPoints
from engines.server.endpoint import Endpoint

SCHEMA = Schema(
    3,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("size", "float"), Field("new", "boolean")),
)
LACKING = Schema(3, "l2", (Field("colours", "tags"), Field("stock", "integer", optional=True)))
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


def test_grpc_answers_are_decoded() -> None:
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
    with pytest.raises(ValueError, match="no QueryResponse"):
        points.query(np.zeros(3, np.float32), 2, None, exact=False)


def over_rest() -> tuple[RestPoints, list[tuple[str, bytes]]]:
    points, sent = RestPoints(ENDPOINT, "bakeoff_1", SCHEMA), []

    def send(method: str, target: str, body: bytes = b"") -> bytes:
        sent.append((f"{method} {target}", body))
        found = {"points": [{"id": 5, "version": 1, "score": 2.0}]}
        return orjson.dumps({"result": found if "query" in target else {"status": "completed"}})

    points._http.send = send  # type: ignore[method-assign]
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
    assert target == "POST /collections/bakeoff_1/points/query"
    query = models.QueryRequest.model_validate_json(body, strict=True)
    assert query.query == [3.0, 2.0, 1.0]
    assert (query.limit, query.with_payload, query.with_vector) == (4, False, False)
    assert query.params == models.SearchParams(hnsw_ef=64, acorn=models.AcornSearchParams(enable=True))
    for request in points.upserts(BATCH, 2):
        points.upsert(request)
    points.delete(np.array([3, 2**62]))
    *puts, last = sent
    assert {target for target, _ in puts} == {"PUT /collections/bakeoff_1/points?wait=true"}
    batches = [models.PointsBatch.model_validate_json(body, strict=True).batch for _, body in puts]
    rows: list[Any] = [row for b in batches for row in zip(b.ids, b.vectors, b.payloads, strict=True)]  # type: ignore[arg-type]
    check_rows(
        [
            models.PointStruct(id=id_, vector=np.float32(vector).tolist(), payload=payload)
            for id_, vector, payload in rows
        ]
    )
    assert last[0] == "POST /collections/bakeoff_1/points/delete?wait=true"
    assert models.PointIdsList.model_validate_json(last[1], strict=True).points == [3, 2**62]


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_attributes_that_json_cannot_express_are_refused(broken: float) -> None:
    schema = Schema(3, "ip", (Field("size", "float"),))
    kinds = (GrpcPoints(ENDPOINT, 6334, "x", schema), RestPoints(ENDPOINT, "x", schema))
    for points in kinds:
        fine = Batch(BATCH.ids, BATCH.vectors, {"size": np.array([0.1, 2, 3])})
        assert len(list(points.upserts(fine, 2))) == 2
        wrong = Batch(BATCH.ids, BATCH.vectors, {"size": np.array([0.1, 2, broken])})
        with pytest.raises(EngineError, match=r"'size' holds .*, which JSON cannot express"):
            list(points.upserts(wrong, 2))


def test_rest_sends_no_more_digits_than_float32_has() -> None:
    """A double's digits nearly double what the server has to read."""
    points, sent = over_rest()
    vector = np.array([1, 0.1, 1e-30], np.float32)
    points.query(vector, 1, None, exact=False)
    for request in points.upserts(Batch(BATCH.ids, np.tile(vector, (3, 1)), COLUMNS), 3):
        points.upsert(request)
    assert [body.count(b"[1.0,0.1,1e-30]") for _, body in sent] == [1, 3]


def test_rest_requests_are_halved_until_they_fit() -> None:
    words = ["x" * 65_000] * 600  # 39 MB in one request
    batch = Batch(np.arange(600), np.zeros((600, 2), np.float32), {"brand": Keywords.encode(words)})
    points = RestPoints(ENDPOINT, "x", Schema(2, "ip", (Field("brand", "keyword"),)))
    requests = list(points.upserts(batch, 1000))
    assert max(map(len, requests)) <= 16 << 20
    ids = [id_ for r in requests for id_ in orjson.loads(r)["batch"]["ids"]]
    assert ids == list(range(600))


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"result": {"points": [{"id": 1}]}}', b'{"status": "ok"}'])
def test_rest_answers_that_are_none(answer: bytes) -> None:
    points, _ = over_rest()
    points._http.post = lambda target, body: answer  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="qdrant: the answer is no list of points"):
        points.query(np.zeros(3, np.float32), 1, None, exact=False)


def test_a_key_that_no_header_can_hold_is_refused_and_not_shown() -> None:
    for kind in (
        lambda endpoint: GrpcPoints(endpoint, 6334, "x", SCHEMA),
        lambda endpoint: RestPoints(endpoint, "x", SCHEMA),
    ):
        with pytest.raises(EngineError, match="printable ASCII") as caught:
            kind(Endpoint("http://127.0.0.1:6333", api_key="s3cret\n"))
        assert "s3cret" not in str(caught.value)


def test_what_an_item_lacks_is_left_out() -> None:
    columns = {
        "colours": Tags.encode([["red", "blue"], []]),
        "stock": Nullable(np.array([0, 3]), np.array([False, True])),
    }
    batch = Batch(np.array([1, 2]), np.zeros((2, 3), np.float32), columns)
    expected: list[dict[str, Any]] = [{"f0": ["red", "blue"]}, {"f1": 3}]
    rest = RestPoints(ENDPOINT, "bakeoff_1", LACKING)
    (request,) = rest.upserts(batch, 10)
    assert orjson.loads(request)["batch"]["payloads"] == expected
    over = GrpcPoints(ENDPOINT, 6334, "bakeoff_1", LACKING)
    (message,) = over.upserts(batch, 10)
    points = grpc.UpsertPoints.FromString(message).points
    assert [GrpcToRest.convert_payload(point.payload) for point in points] == expected


@pytest.mark.parametrize(
    ("where", "condition"),
    [
        (Eq("colours", "red"), {"key": "f0", "match": {"value": "red"}}),
        (Exists("stock"), {"must_not": [{"is_empty": {"key": "f1"}}]}),
        # Every integer, but not what has none.
        (Range("stock", gte=-(2**63)), {"must_not": [{"is_empty": {"key": "f1"}}]}),
    ],
)
def test_conditions_on_them(where: Filter, condition: dict[str, Any]) -> None:
    assert RestConditions(LACKING).translate(where) == condition
    converted = GrpcToRest.convert_condition(GrpcConditions(LACKING).translate(where))
    held = converted.model_dump(exclude_none=True)
    assert {key: value for key, value in held.items() if value} == condition
