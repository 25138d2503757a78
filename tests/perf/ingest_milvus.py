"""Loading a Milvus server, as tests.perf.ingest says: `python -m tests.perf.ingest_milvus`.

Collections hold the same: key, vector, one integer with its index. Both insert into one that is empty and loaded.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from engines.base import Batch, Field, Schema
from engines.milvus.adapter import Milvus
from engines.server.endpoint import variable
from tests.perf.ingest import Case, Contest, compare
from tests.perf.table import show
from tests.servers.launch import Servers

CASES = [
    Case(128, 60_000, 100, 4),
    Case(128, 60_000, 1000, 1),
    Case(128, 60_000, 1000, 4),
    Case(768, 16_000, 100, 4),
    Case(768, 16_000, 1000, 4),
]
_GIVEN = 8000  # rows in one call of the adapter, which makes the batches of it
_INTEGER_BYTES = 16  # of a row, beside its vector
_THEIRS = """
from vectordb_bench.backend.clients.milvus.config import HNSWConfig
from vectordb_bench.backend.clients.milvus.milvus import Milvus
config = HNSWConfig(metric_type=MetricType.L2, M=16, efConstruction=100)
db = Milvus(vectors.shape[1], dict(uri=target), config, collection_name="theirs", drop_old=True)
def insert(batch):
    count, error = db.insert_embeddings(*batch)
    assert error is None and count == len(batch[1]), error
with db.init(), ThreadPoolExecutor(in_flight) as pool:
    start = time.perf_counter()
    list(pool.map(insert, batches))
    print(time.perf_counter() - start)
    rows = db.client.query("theirs", "", ["count(*)"], consistency_level="Strong")[0]["count(*)"]
    assert rows == len(vectors), rows
    db.client.drop_collection("theirs")
"""


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    servers = Servers()
    try:
        servers.require("milvus")
        target = os.environ[variable("milvus", "URL")]
        return compare(Contest("milvus", target, _our_seconds, _THEIRS, number=5), CASES)
    finally:
        servers.close()


def _our_seconds(path: Path, vectors: np.ndarray, case: Case) -> list[float]:
    request_bytes = case.size * (4 * case.dim + _INTEGER_BYTES)
    engine = Milvus(path, Milvus.IndexParams(request_bytes=request_bytes, in_flight=case.in_flight))
    engine.create(Schema(case.dim, "l2", (Field("number", "integer"),)))
    ids = np.arange(case.rows)
    start = time.perf_counter()
    for first in range(0, case.rows, _GIVEN):
        rows = slice(first, first + _GIVEN)
        engine.index(Batch(ids[rows], vectors[rows], {"number": ids[rows]}))
    seconds = time.perf_counter() - start
    assert engine.count() == case.rows
    engine.drop()
    return [seconds]


if __name__ == "__main__":
    show(figures())
