"""Loading Elasticsearch through the adapter and through VectorDBBench's client, side by side on one node.

    BAKEOFF_VDBB_PYTHON=/path/to/venv/bin/python python -m tests.perf.ingest_elasticsearch

That Python needs `pip install vectordb-bench 'elasticsearch<10'`. Rounds alternate; the median of each is shown, from
the first request to the last answer, and up to the end of a refresh. The client's CPU time is that of its process.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from engines.base import Batch, Schema
from engines.elasticsearch.adapter import Elasticsearch
from engines.server import variable
from tests.perf.table import show
from tests.servers.launch import Servers

ROUNDS = 3
CASES = [(128, 1), (128, 4), (768, 1), (768, 4)]  # dim, requests in flight
_ROWS = {128: 16_000, 768: 6_000}
_SIZE = 500  # documents in a request: what elasticsearch.helpers.bulk sends, however many it is given
# Prints seconds to the last answer, to the end of the refresh, and of CPU; making lists of the vectors is not counted.
_THEIRS = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from vectordb_bench.backend.clients.api import IndexType, MetricType
from vectordb_bench.backend.clients.elastic_cloud.config import ElasticCloudIndexConfig
from vectordb_bench.backend.clients.elastic_cloud.elastic_cloud import ElasticCloud
url, file, size, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
vectors = np.load(file)
config = ElasticCloudIndexConfig(metric_type=MetricType.L2, M=16, efConstruction=100, num_candidates=64)
db = ElasticCloud(vectors.shape[1], dict(hosts=url), config, indice="bakeoff_theirs", drop_old=True)
batches = [(vectors[i : i + size].tolist(), list(range(i, i + size))) for i in range(0, len(vectors), size)]
def load(batch):
    count, error = db.insert_embeddings(*batch)
    assert error is None and count == len(batch[1]), error
with db.init(), ThreadPoolExecutor(threads) as pool:
    start, cpu = time.perf_counter(), time.process_time()
    list(pool.map(load, batches))
    written, cpu = time.perf_counter(), time.process_time() - cpu
    db.client.indices.refresh(index=db.indice)
    print(written - start, time.perf_counter() - start, cpu)
    assert db.client.count(index=db.indice)["count"] == len(vectors)
    db.client.indices.delete(index=db.indice)
"""


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit; without BAKEOFF_VDBB_PYTHON the reference is missing."""
    servers = Servers()
    try:
        servers.require("elasticsearch")
        with tempfile.TemporaryDirectory(prefix="bakeoff-ingest-") as folder:
            return [row for case in CASES for row in _case(Path(folder), *case)]
    finally:
        servers.close()


def _case(folder: Path, dim: int, threads: int) -> list[dict[str, Any]]:
    vectors = np.random.default_rng(0).standard_normal((_ROWS[dim], dim), dtype=np.float32)
    file = folder / "vectors.npy"
    np.save(file, vectors)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_our_seconds(folder, vectors, threads))
        theirs.append(_their_seconds(file, threads))
    name = f"elasticsearch: {dim}-d, {_SIZE} a request, {threads} in flight"
    rows = []
    for part, label in enumerate(("written", "written and refreshed", "client CPU")):
        mine = median(times[part] for times in ours)
        reference = median(times[part] for times in theirs if times) if all(theirs) else None
        unit = "us" if part == 2 else "vectors/s"
        mine, reference = (
            value and (value / len(vectors) * 1e6 if part == 2 else len(vectors) / value)
            for value in (mine, reference)
        )
        ratio = mine / reference if mine and reference else None
        rows.append(
            {"name": f"{name}, {label}", "ours": mine, "reference": reference, "ratio": ratio, "unit": unit}
        )
    return rows


def _their_seconds(file: Path, threads: int) -> list[float]:
    python, url = os.environ.get("BAKEOFF_VDBB_PYTHON"), os.environ[variable("elasticsearch", "URL")]
    if not python:
        return []
    command = [python, "-c", _THEIRS, url, str(file), str(_SIZE), str(threads)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)
    if run.returncode:
        sys.exit(f"VectorDBBench failed: {run.stderr}")
    return [float(word) for word in run.stdout.split()[-3:]]


def _our_seconds(folder: Path, vectors: np.ndarray, threads: int) -> list[float]:
    path = folder / "ours"
    path.mkdir(exist_ok=True)
    params = Elasticsearch.IndexParams(thread_count=threads, chunk_size=_SIZE, force_merge=False)
    engine = Elasticsearch(path, params)
    engine.create(Schema(vectors.shape[1], "l2"))
    start, cpu = time.perf_counter(), time.process_time()
    engine.index(Batch(np.arange(len(vectors)), vectors))
    written, cpu = time.perf_counter(), time.process_time() - cpu
    engine.refresh()
    refreshed = time.perf_counter()
    assert engine.count() == len(vectors)
    engine.drop()
    return [written - start, refreshed - start, cpu]


if __name__ == "__main__":
    show(figures())
