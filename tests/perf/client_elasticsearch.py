"""What a query costs in the client, beside a bare socket and the official client's search: CPU time of the thread.

    python -m tests.perf.client_elasticsearch

Asks a real node, that of BAKEOFF_ELASTICSEARCH_URL or one that is started. The socket sends the adapter's request as
it is ready-made, and reads what comes at once. Parts of a round are measured in turn, so that what disturbs one
disturbs all; medians of the rounds.
"""

from __future__ import annotations

import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import elasticsearch
import numpy as np

from engines.base import Batch, Schema
from engines.elasticsearch import wire
from engines.elasticsearch.adapter import Elasticsearch
from engines.elasticsearch.params import ID, VECTOR, IndexParams
from engines.server import Endpoint, variable
from tests.perf.table import show
from tests.servers.launch import Servers

K, CANDIDATES, ROWS, QUERIES, ROUNDS = 10, 64, 2000, 100, 25


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    servers = Servers()
    try:
        servers.require("elasticsearch")
        return [row for dim in (128, 768) for row in _queries(dim)]
    finally:
        servers.close()


def _queries(dim: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    vector = rng.standard_normal(dim, dtype=np.float32)
    with tempfile.TemporaryDirectory(prefix="bakeoff-client-") as folder:
        engine = Elasticsearch(Path(folder), IndexParams())
        engine.create(Schema(dim, "l2"))
        engine.index(Batch(np.arange(ROWS), rng.standard_normal((ROWS, dim), dtype=np.float32)))
        engine.refresh()
        url = os.environ[variable("elasticsearch", "URL")]
        client = elasticsearch.Elasticsearch(url)
        calls = {
            "bare socket": _exchange(engine, vector),
            "query()": lambda: engine.query(vector, K),
            "query() and decoding": lambda: list(engine.query(vector, K).ids),
            "elasticsearch-py": lambda: _official(client, engine._index, vector),
        }
        times = _rounds(calls)
        client.close()
        engine.drop()
    bare, official = times.pop("bare socket"), times.pop("elasticsearch-py")
    rows = [_row(f"{dim}-d, {part} / bare socket", mine, bare, "at most 2.5") for part, mine in times.items()]
    return [*rows, _row(f"{dim}-d, query() / elasticsearch-py's search", times["query()"], official, "")]


def _official(client: elasticsearch.Elasticsearch, index: str, vector: np.ndarray) -> list[int]:
    found = client.search(
        index=index,
        query={
            "knn": {"field": VECTOR, "query_vector": vector.tolist(), "k": K, "num_candidates": CANDIDATES}
        },
        size=K,
        source=False,
        stored_fields=["_none_"],
        docvalue_fields=[ID],
        track_total_hits=False,
    )
    return [hit["fields"][ID][0] for hit in found["hits"]["hits"]]


def _exchange(engine: Elasticsearch, vector: np.ndarray) -> Callable[[], bytes]:
    endpoint = Endpoint.of("elasticsearch")
    body = wire.knn(wire.pack(vector), K, CANDIDATES, None, b"")
    head = f"POST {engine._search} HTTP/1.1\r\nHost: {endpoint.host}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    connection = socket.create_connection((endpoint.host, endpoint.port(9200)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exchange() -> bytes:
        connection.sendall(request)
        return connection.recv(1 << 16)

    return exchange


def _rounds(calls: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Median CPU time of a call, in microseconds."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(ROUNDS):
        for name, call in calls.items():
            start = time.thread_time_ns()
            for _ in range(QUERIES):
                call()
            taken[name].append((time.thread_time_ns() - start) / (1e3 * QUERIES))
    return {name: statistics.median(found) for name, found in taken.items()}


def _row(name: str, ours: float, reference: float, note: str) -> dict[str, Any]:
    return {
        "name": f"elasticsearch {name}",
        "ours": ours,
        "reference": reference,
        "ratio": ours / reference,
        "unit": "us",
        "note": note,
    }


if __name__ == "__main__":
    show(figures())
