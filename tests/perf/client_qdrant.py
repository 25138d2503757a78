"""What a query costs in the client, beside Qdrant's high-level client: `python -m tests.perf.client_qdrant`.

Twice. Without a transport: CPU time of the thread, a stub hands back a serialised answer of ten points to both, so that
making requests and reading answers is all that is counted. And over real sockets: CPU time of this process with
all its threads, against a process that answers at once with those bytes (answering.py); it is no Qdrant, and what a
query costs a server is not measured. Parts of a round are measured in turn, so that what disturbs one disturbs all;
medians of the rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import orjson
from qdrant_client import QdrantClient, grpc, models

from engines.base import Batch, Field, Hits, Schema
from engines.columns import Keywords
from engines.filters import And, Eq, Range
from engines.qdrant.params import IndexParams, SearchParams, searching
from engines.qdrant.points.over_grpc import GrpcPoints
from engines.qdrant.points.over_rest import RestPoints
from engines.server.endpoint import Endpoint
from tests.perf.answering import answering
from tests.perf.clients import exchange, rounds, row
from tests.perf.table import show

K, QUERIES, ROUNDS, POINTS, SOCKET_QUERIES = 10, 500, 15, 2000, 150
NAME, URL = "bakeoff_00000000", "http://127.0.0.1:6333"
WHERE = And((Eq("brand", "Zara"), Range("price", gte=10, lt=50)))
MODEL = models.Filter(
    must=[
        models.FieldCondition(key="f0", match=models.MatchValue(value="Zara")),
        models.FieldCondition(key="f1", range=models.Range(gte=10, lt=50)),
    ]
)
GRPC_ANSWER = grpc.QueryResponse(
    result=[grpc.ScoredPoint(id=grpc.PointId(num=id_), score=0.5, version=7) for id_ in range(K)], time=1e-3
).SerializeToString()
REST_ANSWER = orjson.dumps(
    {
        "result": {"points": [{"id": id_, "version": 7, "score": 0.5} for id_ in range(K)]},
        "status": "ok",
        "time": 1e-3,
    }
)


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    return [found for dim in (128, 768) for found in (*_queries(dim), *_over_sockets(dim), _upsert(dim))]


def _schema(dim: int) -> Schema:
    return Schema(dim, "cosine", (Field("brand", "keyword"), Field("price", "integer")))


def _queries(dim: int) -> list[dict[str, Any]]:
    vector = np.random.default_rng(0).standard_normal(dim, dtype=np.float32)
    rows = []
    for protocol, ours, client in (("gRPC", _grpc(dim), _client(True)), ("REST", _rest(dim), _client(False))):
        params = searching(SearchParams(), IndexParams(), exact=False)

        def high_level(where: models.Filter | None, client: Any = client, params: Any = params) -> Any:
            return client.query_points(
                NAME, vector, query_filter=where, search_params=params, limit=K, with_payload=False
            )

        for label, where, model in (("", None, None), (", filtered", WHERE, MODEL)):
            calls: dict[str, Callable[[], Any]] = {
                "query()": lambda ours=ours, where=where: ours.query(vector, K, where, exact=False),  # type: ignore[misc]
                "query() and decoding": lambda ours=ours, where=where: _read(  # type: ignore[misc]
                    ours.query(vector, K, where, exact=False)
                ),
                "reference": lambda ask=high_level, model=model: ask(model),  # type: ignore[misc]
            }
            times = rounds(calls, QUERIES, ROUNDS)
            reference = times.pop("reference")
            note = "at most 60 us" if protocol == "gRPC" else "without the HTTP client of either"
            rows += [
                row(
                    f"qdrant {protocol} {dim}-d{label}, {part} / high-level client",
                    mine,
                    reference,
                    note=note,
                )
                for part, mine in times.items()
            ]
    return rows


def _over_sockets(dim: int) -> list[dict[str, Any]]:
    vector = np.random.default_rng(0).standard_normal(dim, dtype=np.float32)
    with answering("grpc", GRPC_ANSWER) as grpc_port, answering("http", REST_ANSWER) as port:
        address = Endpoint(f"http://127.0.0.1:{port}")
        by_grpc = _prepared(GrpcPoints(address, grpc_port, NAME, _schema(dim)))
        by_rest = _prepared(RestPoints(address, NAME, _schema(dim)))
        clients = {
            prefer: QdrantClient(
                url=address.url, grpc_port=grpc_port, prefer_grpc=prefer, check_compatibility=False
            )
            for prefer in (True, False)
        }
        bare = exchange(address.url, f"/collections/{NAME}/points/query", orjson.dumps(vector.tolist()))
        calls: dict[str, Callable[[], Any]] = {
            "gRPC": lambda: _read(by_grpc.query(vector, K, None, exact=False)),
            "REST": lambda: _read(by_rest.query(vector, K, None, exact=False)),
            "gRPC high": lambda: clients[True].query_points(NAME, vector, limit=K, with_payload=False),
            "REST high": lambda: clients[False].query_points(NAME, vector, limit=K, with_payload=False),
            "bare socket": bare,
        }
        rounds(calls, 20, 1)  # connects
        times = rounds(calls, SOCKET_QUERIES, ROUNDS, clock=time.process_time_ns)
        by_grpc.close()
        by_rest.close()
        for client in clients.values():
            client.close()
    name, unit = f"qdrant {dim}-d over a socket,", "us CPU"
    return [
        row(f"{name} gRPC / REST", times["gRPC"], times["REST"], unit, "decides the default of prefer_grpc"),
        row(f"{name} gRPC / high-level client", times["gRPC"], times["gRPC high"], unit),
        row(f"{name} REST / high-level client", times["REST"], times["REST high"], unit),
        row(f"{name} REST / bare socket", times["REST"], times["bare socket"], unit),
    ]


def _points(dim: int) -> tuple[Batch, list[str], Any]:
    rng = np.random.default_rng(1)
    words = [f"brand-{code}" for code in rng.integers(0, 50, POINTS)]
    prices = rng.integers(0, 1000, POINTS)
    vectors = rng.standard_normal((POINTS, dim), dtype=np.float32)
    return (
        Batch(np.arange(POINTS), vectors, {"brand": Keywords.encode(words), "price": prices}),
        words,
        prices,
    )


def _upsert(dim: int) -> dict[str, Any]:
    ours, client = _grpc(dim), _client(True)
    batch, words, prices = _points(dim)
    vectors = batch.vectors

    def high_level() -> None:
        payload = [{"f0": word, "f1": price} for word, price in zip(words, prices.tolist(), strict=True)]
        points = [
            models.PointStruct(id=row, vector=vectors[row].tolist(), payload=payload[row])
            for row in range(POINTS)
        ]
        client.upsert(NAME, points)

    def mine() -> None:
        for request in ours.upserts(batch, 1000):
            ours.upsert(request)

    times = rounds({"ours": mine, "reference": high_level}, 1, ROUNDS, units=POINTS)
    return row(f"qdrant gRPC {dim}-d, a point loaded / high-level client", *times.values())


def _grpc(dim: int) -> GrpcPoints:
    points = GrpcPoints(Endpoint(URL), 6334, NAME, _schema(dim))
    written = grpc.PointsOperationResponse(result=grpc.UpdateResult(status=grpc.UpdateStatus.Completed))
    done = written.SerializeToString()
    points._query = lambda request, timeout, metadata: GRPC_ANSWER
    points._upsert = lambda request, timeout, metadata: done
    return _prepared(points)


def _rest(dim: int) -> RestPoints:
    points = RestPoints(Endpoint(URL), NAME, _schema(dim))
    points._http.post = lambda target, body: REST_ANSWER  # type: ignore[method-assign]
    return _prepared(points)


def _prepared(points: Any) -> Any:
    points.prepare(*(searching(SearchParams(), IndexParams(), exact=exact) for exact in (False, True)))
    return points


class Stub:
    """The generated stub without a channel: what serialises and parses in gRPC's place."""

    def Query(self, request: Any, timeout: Any = None) -> Any:  # noqa: N802
        request.SerializeToString()
        return grpc.QueryResponse.FromString(GRPC_ANSWER)

    def Upsert(self, request: Any, timeout: Any = None) -> Any:  # noqa: N802
        request.SerializeToString()
        return grpc.PointsOperationResponse(result=grpc.UpdateResult(status=grpc.UpdateStatus.Completed))


def _client(prefer_grpc: bool) -> QdrantClient:
    client = QdrantClient(url=URL, prefer_grpc=prefer_grpc, check_compatibility=False)
    remote: Any = client._client
    remote._grpc_points_client_pool = [Stub()] * remote._get_grpc_pool_size()
    answer = httpx.Response(200, content=REST_ANSWER)
    remote.openapi_client.client._client.send = lambda request: answer
    return client


def _read(hits: Hits) -> None:
    list(hits.ids), list(hits.scores)


if __name__ == "__main__":
    show(figures())
