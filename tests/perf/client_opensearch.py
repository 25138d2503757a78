"""What a query costs in the client, beside a bare socket and the official client's search: CPU time of the thread.

    python -m tests.perf.client_opensearch

Asks a real node, that of BAKEOFF_OPENSEARCH_URL or one that is started.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import opensearchpy

from engines.base import Batch, Schema
from engines.lucene import plain
from engines.lucene_params import ID, VECTOR
from engines.opensearch import wire
from engines.opensearch.adapter import OpenSearch
from engines.opensearch.params import IndexParams, SearchParams
from engines.server import variable
from tests.perf.clients import beside_socket, exchange, rounds
from tests.perf.table import show
from tests.servers.launch import Servers

K, ROWS, QUERIES, ROUNDS = 10, 2000, 100, 25


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    servers = Servers()
    try:
        servers.require("opensearch")
        return [row for dim in (128, 768) for row in _queries(dim)]
    finally:
        servers.close()


def _queries(dim: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    vector = rng.standard_normal(dim, dtype=np.float32)
    options = SearchParams().options(IndexParams())
    with tempfile.TemporaryDirectory(prefix="bakeoff-client-") as folder:
        engine = OpenSearch(Path(folder), IndexParams())
        engine.create(Schema(dim, "l2"))
        engine.index(Batch(np.arange(ROWS), rng.standard_normal((ROWS, dim), dtype=np.float32)))
        engine.refresh()
        url = os.environ[variable("opensearch", "URL")]
        client = opensearchpy.OpenSearch(url)
        calls = {
            "bare socket": exchange(url, engine._search, wire.knn(plain(vector), K, K, None, options)),
            "query()": lambda: engine.query(vector, K),
            "query() and decoding": lambda: list(engine.query(vector, K).ids),
            "opensearch-py": lambda: _official(client, engine._index, vector),
        }
        times = rounds(calls, QUERIES, ROUNDS)
        client.close()
        engine.drop()
    return beside_socket("opensearch", dim, times, "opensearch-py")


def _official(client: opensearchpy.OpenSearch, index: str, vector: np.ndarray) -> list[int]:
    knn = {"vector": vector.tolist(), "k": K, "method_parameters": {"ef_search": SearchParams().ef_search}}
    body = {
        "size": K,
        "query": {"knn": {VECTOR: knn}},
        "_source": False,
        "stored_fields": "_none_",
        "docvalue_fields": [ID],
        "track_total_hits": False,
    }
    found = client.search(index=index, body=body, params={"filter_path": "hits.hits.fields,hits.hits._score"})
    return [hit["fields"][ID][0] for hit in found["hits"]["hits"]]


if __name__ == "__main__":
    show(figures())
