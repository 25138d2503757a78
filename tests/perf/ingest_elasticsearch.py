"""Loading Elasticsearch, as tests.perf.ingest says: `python -m tests.perf.ingest_elasticsearch`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from engines.base import Schema
from engines.elasticsearch.adapter import Elasticsearch
from engines.server.endpoint import variable
from tests.perf.ingest import Case, Contest, compare
from tests.perf.ingest_bulk import BULK_LABELS, load
from tests.perf.table import show
from tests.servers.launch import Servers

_SIZE = 500  # documents in a request: what elasticsearch.helpers.bulk sends, however many it is given
CASES = [Case(dim, rows, _SIZE, threads) for dim, rows in ((128, 16_000), (768, 6_000)) for threads in (1, 4)]
_THEIRS = """
from vectordb_bench.backend.clients.elastic_cloud.config import ElasticCloudIndexConfig
from vectordb_bench.backend.clients.elastic_cloud.elastic_cloud import ElasticCloud
config = ElasticCloudIndexConfig(metric_type=MetricType.L2, M=16, efConstruction=100, num_candidates=64)
db = ElasticCloud(vectors.shape[1], dict(hosts=target), config, indice="bakeoff_theirs", drop_old=True)
def load(batch):
    count, error = db.insert_embeddings(*batch)
    assert error is None and count == len(batch[1]), error
with db.init(), ThreadPoolExecutor(in_flight) as pool:
    start, cpu = time.perf_counter(), time.process_time()
    list(pool.map(load, batches))
    written, cpu = time.perf_counter(), time.process_time() - cpu
    db.client.indices.refresh(index=db.indice)
    print(written - start, time.perf_counter() - start, cpu)
    assert db.client.count(index=db.indice)["count"] == len(vectors)
    db.client.indices.delete(index=db.indice)
"""


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    servers = Servers()
    try:
        servers.require("elasticsearch")
        target = os.environ[variable("elasticsearch", "URL")]
        return compare(Contest("elasticsearch", target, _our_seconds, _THEIRS, BULK_LABELS), CASES)
    finally:
        servers.close()


def _our_seconds(path: Path, vectors: np.ndarray, case: Case) -> list[float]:
    params = Elasticsearch.IndexParams(thread_count=case.in_flight, chunk_size=case.size, force_merge=False)
    engine = Elasticsearch(path, params)
    engine.create(Schema(case.dim, "l2"))
    return load(engine, vectors)


if __name__ == "__main__":
    show(figures())
