"""What a query costs in the client, beside a bare socket and the official client's search: CPU time of the thread.

    python -m tests.perf.client_elasticsearch

Asks a real node, that of BAKEOFF_ELASTICSEARCH_URL or one that is started.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import elasticsearch
import numpy as np

from engines.base import Batch, Schema
from engines.elasticsearch import wire
from engines.elasticsearch.adapter import Elasticsearch
from engines.elasticsearch.params import IndexParams
from engines.lucene_params import ID, VECTOR
from engines.server import variable
from tests.perf.clients import beside_socket, exchange, rounds
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
            "bare socket": exchange(
                url, engine._search, wire.knn(wire.pack(vector), K, CANDIDATES, None, b"")
            ),
            "query()": lambda: engine.query(vector, K),
            "query() and decoding": lambda: list(engine.query(vector, K).ids),
            "elasticsearch-py": lambda: _official(client, engine._index, vector),
        }
        times = rounds(calls, QUERIES, ROUNDS)
        client.close()
        engine.drop()
    return beside_socket("elasticsearch", dim, times, "elasticsearch-py")


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


if __name__ == "__main__":
    show(figures())
