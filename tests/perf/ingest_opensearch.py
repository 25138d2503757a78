"""Loading OpenSearch, as tests.perf.ingest says: `python -m tests.perf.ingest_opensearch`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from engines.base import Schema
from engines.opensearch.adapter import OpenSearch
from engines.server.endpoint import variable
from tests.perf.ingest import Case, Contest, compare
from tests.perf.ingest_bulk import BULK_LABELS, load
from tests.perf.table import show
from tests.servers.launch import Servers

CASES = [
    Case(dim, rows, size, threads)
    for dim, rows, size in ((128, 16_000, 1000), (768, 6_000, 500))
    for threads in (1, 4)
]
_THEIRS = """
from urllib.parse import urlsplit
from vectordb_bench.backend.clients.oss_opensearch.config import OSSOpenSearchConfig, OSSOpenSearchIndexConfig
from vectordb_bench.backend.clients.oss_opensearch.oss_opensearch import OSSOpenSearch
address = urlsplit(target)
connect = OSSOpenSearchConfig(host=address.hostname, port=address.port, index_name="bakeoff_theirs").to_dict()
config = OSSOpenSearchIndexConfig(
    metric_type_name="l2", engine="lucene", M=16, efConstruction=100, refresh_interval="-1", index_thread_qty=1
)
db = OSSOpenSearch(vectors.shape[1], connect, config, drop_old=True)
def load(batch):
    count, error = db.insert_embeddings(*batch)
    assert error is None and count == len(batch[1]), error
with db.init(), ThreadPoolExecutor(in_flight) as pool:
    start, cpu = time.perf_counter(), time.process_time()
    list(pool.map(load, batches))
    written, cpu = time.perf_counter(), time.process_time() - cpu
    db.client.indices.refresh(index=db.index_name)
    print(written - start, time.perf_counter() - start, cpu)
    assert db.client.count(index=db.index_name)["count"] == len(vectors)
    db.client.indices.delete(index=db.index_name)
"""


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    servers = Servers()
    try:
        servers.require("opensearch")
        target = os.environ[variable("opensearch", "URL")]
        return compare(Contest("opensearch", target, _our_seconds, _THEIRS, BULK_LABELS), CASES)
    finally:
        servers.close()


def _our_seconds(path: Path, vectors: np.ndarray, case: Case) -> list[float]:
    params = OpenSearch.IndexParams(thread_count=case.in_flight, chunk_size=case.size, force_merge=False)
    engine = OpenSearch(path, params)
    engine.create(Schema(case.dim, "l2"))
    return load(engine, vectors)


if __name__ == "__main__":
    show(figures())
