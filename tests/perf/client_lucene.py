"""What the measurements of the clients of Elasticsearch and OpenSearch share.

They ask a real node, that of BAKEOFF_<ENGINE>_URL or one that is started.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from engines.base import Batch, Schema, Vectors
from engines.lucene.adapter import LuceneIndex
from engines.server.endpoint import variable
from tests.perf.clients import beside_socket, exchange, rounds
from tests.servers.launch import Servers

K = 10
_ROWS, _QUERIES, _ROUNDS = 2000, 100, 25


class Official(NamedTuple):
    """An official client. ids: of the neighbours that it finds, given itself, an index and a vector."""

    name: str
    connect: Callable[[str], Any]
    ids: Callable[[Any, str, Vectors], list[int]]


def beside(adapter: type[LuceneIndex[Any]], official: Official) -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    servers = Servers()
    try:
        servers.require(adapter.NAME)
        return [row for dim in (128, 768) for row in _queries(adapter, official, dim)]
    finally:
        servers.close()


def _queries(adapter: type[LuceneIndex[Any]], official: Official, dim: int) -> list[dict[str, Any]]:
    rng = np.random.default_rng(0)
    vector = rng.standard_normal(dim, dtype=np.float32)
    url = os.environ[variable(adapter.NAME, "URL")]
    with tempfile.TemporaryDirectory(prefix="bakeoff-client-") as folder:
        engine = adapter(Path(folder), adapter.IndexParams())
        engine.create(Schema(dim, "l2"))
        engine.index(Batch(np.arange(_ROWS), rng.standard_normal((_ROWS, dim), dtype=np.float32)))
        engine.refresh()
        client = official.connect(url)

        def body() -> bytes:
            return engine._neighbours(vector, K, None, exact=False)

        calls = {
            "bare socket": exchange(url, engine._search, body()),
            "query()": lambda: engine.query(vector, K),
            "query() and decoding": lambda: list(engine.query(vector, K).ids),
            "making the request": body,
            official.name: lambda: official.ids(client, engine._index, vector),
        }
        times = rounds(calls, _QUERIES, _ROUNDS)
        client.close()
        engine.drop()
    return beside_socket(adapter.NAME, dim, times, official.name)
