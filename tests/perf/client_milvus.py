"""What a query to Milvus costs in the client, with the transport stubbed out: `python -m tests.perf.client_milvus`.

The request is serialised and the answer parsed from its bytes, as without the stub. `MilvusClient` then makes
its result; the adapter leaves that to whoever looks at the hits. CPU time, for other processes run too.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pymilvus import MilvusClient
from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from engines.base import Field, Schema
from engines.filters import And, Eq, Range
from engines.milvus.adapter import Milvus
from tests.perf.answering import answering
from tests.perf.clients import rounds, row
from tests.servers.fake_milvus import FakeMilvus

K, _CALLS, _ROUNDS = 10, 2_000, 7
_SCHEMA = (Field("brand", "keyword"), Field("price", "integer"))
_WHERE = And((Eq("brand", "b1"), Range("price", lt=50)))


class _Stub:
    """Stands where the generated stub does."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def Search(self, request: Any, **_: Any) -> Any:  # noqa: N802 - gRPC's name
        request.SerializeToString()
        return milvus_pb2.SearchResults.FromString(self._answer)


def _answer(k: int) -> bytes:
    ids = schema_pb2.IDs(int_id=schema_pb2.LongArray(data=range(1000, 1000 + k)))
    results = schema_pb2.SearchResultData(num_queries=1, top_k=k, ids=ids, scores=np.arange(k) / 7, topks=[k])
    answer: bytes = milvus_pb2.SearchResults(results=results).SerializeToString()
    return answer


def measured(dim: int) -> dict[str, float]:
    """Microseconds a query, by contestant: medians of interleaved rounds."""
    vector = np.random.default_rng(0).standard_normal(dim).astype(np.float32)
    with FakeMilvus().listening() as server, tempfile.TemporaryDirectory() as folder:
        os.environ["BAKEOFF_MILVUS_URL"] = server.url
        engine = Milvus(Path(folder), Milvus.IndexParams())
        engine.create(Schema(dim, "l2", _SCHEMA))
        client = MilvusClient(server.url)
        stub = _Stub(_answer(K))
        engine._open._stub = client._get_connection()._stub = stub
        options = {"params": {"ef": 64}}

        def through_client(text: str) -> Any:
            found = client.search(
                "x", [vector], filter=text, limit=K, search_params=options, anns_field="vector"
            )
            return [hit["id"] for hit in found[0]]

        contestants: dict[str, Callable[[], Any]] = {
            "MilvusClient.search": lambda: through_client(""),
            "adapter": lambda: engine.query(vector, K),
            "adapter, hits read": lambda: list(engine.query(vector, K).ids),
            "MilvusClient.search, filter": lambda: through_client('f0 == "b1" and f1 < 50'),
            "adapter, filter": lambda: engine.query(vector, K, _WHERE),
        }
        times = rounds(contestants, _CALLS, _ROUNDS)
        client.close()
        engine.close()
    return times


def over_socket(dim: int) -> dict[str, Any]:
    """A row: what a search costs this process, all its threads included, against a process that answers at once."""
    vector = np.random.default_rng(0).standard_normal(dim).astype(np.float32)
    with answering("milvus", _answer(K)) as port, tempfile.TemporaryDirectory() as folder:
        os.environ["BAKEOFF_MILVUS_URL"] = url = f"http://127.0.0.1:{port}"
        engine = Milvus(Path(folder), Milvus.IndexParams())
        engine.create(Schema(dim, "l2", _SCHEMA))
        client = MilvusClient(url)
        options = {"params": {"ef": 64}}
        calls: dict[str, Callable[[], Any]] = {
            "adapter": lambda: list(engine.query(vector, K).ids),
            "MilvusClient": lambda: client.search(
                "x", [vector], limit=K, search_params=options, anns_field="vector"
            ),
        }
        rounds(calls, 20, 1)  # connects
        times = rounds(calls, 150, _ROUNDS, clock=time.process_time_ns)
        client.close()
        engine.close()
    return row(
        f"milvus {dim}-d over a socket, adapter / MilvusClient.search",
        times["adapter"],
        times["MilvusClient"],
        "us CPU",
    )


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    rows = [over_socket(dim) for dim in (128, 768)]
    for dim in (128, 768):
        cost = measured(dim)
        for name, value in cost.items():
            if not name.startswith("adapter"):
                continue
            reference = cost["MilvusClient.search" + (", filter" if "filter" in name else "")]
            rows.append(
                row(f"milvus {dim}-d, {name} / MilvusClient.search", value, reference, note="at most 60 us")
            )
    return rows


if __name__ == "__main__":
    from tests.perf.table import show

    show(figures())
