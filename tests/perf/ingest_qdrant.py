"""What loading a Qdrant server costs the client, as tests.perf.ingest says: `python -m tests.perf.ingest_qdrant`.

The server takes points and forgets them (accepting_qdrant.py): these are the limits of clients, not of a server.
VectorDBBench has two clients: the one for Qdrant's cloud sends 500 points a request; the one for a local server sends
100, over REST only, and turns indexing off before each call and on after it. A point is its id, vector and one integer.
"""

from __future__ import annotations

import os
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from engines.base import Batch, Field, Schema
from engines.qdrant.adapter import Qdrant
from engines.server.endpoint import variable
from tests.perf.accepting_qdrant import accepting
from tests.perf.ingest import Case, Contest, compare
from tests.perf.table import show

# From the first request to the last answer; the client's CPU time is its process'.
LABELS = ("written", "client CPU", "bytes")
_SIZES = {"Cloud": 500, "Local": 100}  # what VectorDBBench's clients send a request
_BEGIN = """
import json, urllib.request
url, port, protocol = target.split()
grpc = dict(prefer_grpc=True, grpc_port=int(port)) if protocol == "gRPC" else dict()
"""
_END = """
def told():
    with urllib.request.urlopen(url + "/taken") as answer:
        return json.load(answer)
def insert(batch):
    count, error = db.insert_embeddings(*batch)
    assert error is None and count == len(batch[1]), error
with db.init(), ThreadPoolExecutor(in_flight) as pool:
    told()
    start, cpu = time.perf_counter(), time.process_time()
    list(pool.map(insert, batches))
    seconds, cpu, taken = time.perf_counter() - start, time.process_time() - cpu, told()
    assert taken["requests"] == len(batches), taken
    print(seconds, cpu, taken["bytes"])
"""
_MADE = {
    "Cloud": """
from vectordb_bench.backend.clients.qdrant_cloud.config import QdrantIndexConfig
from vectordb_bench.backend.clients.qdrant_cloud.qdrant_cloud import QdrantCloud
config = QdrantIndexConfig(metric_type=MetricType.L2, create_payload_int_index=True)
db = QdrantCloud(vectors.shape[1], dict(url=url, **grpc), config, "theirs", drop_old=True)
""",
    "Local": """
from vectordb_bench.backend.clients.qdrant_local.config import QdrantLocalIndexConfig
from vectordb_bench.backend.clients.qdrant_local.qdrant_local import QdrantLocal
config = QdrantLocalIndexConfig(metric_type=MetricType.L2, m=16, ef_construct=100)
db = QdrantLocal(vectors.shape[1], dict(url=url), config, "theirs", drop_old=True)
""",
}


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    rows = []
    with accepting() as (url, port):
        os.environ[variable("qdrant", "URL")] = url
        os.environ[variable("qdrant", "GRPC_PORT")] = str(port)
        for protocol, client, dims in (
            ("REST", "Cloud", (128, 768)),
            ("gRPC", "Cloud", (128, 768)),
            ("REST", "Local", (128,)),
        ):
            cases = [
                Case(dim, 30_000 if dim == 128 else 8_000, _SIZES[client], at_once)
                for dim in dims
                for at_once in (1, 4)
            ]
            rows += compare(_contest(url, port, protocol, client), cases)
    return rows


def _contest(url: str, port: int, protocol: str, client: str) -> Contest:
    def ours(path: Path, vectors: np.ndarray, case: Case) -> list[float]:
        return _our_figures(path, vectors, case, url, protocol)

    theirs = _BEGIN + _MADE[client] + _END
    return Contest(f"qdrant {protocol} / Qdrant{client}", f"{url} {port} {protocol}", ours, theirs, LABELS)


def _our_figures(path: Path, vectors: np.ndarray, case: Case, url: str, protocol: str) -> list[float]:
    params = Qdrant.IndexParams(prefer_grpc=protocol == "gRPC", batch_size=case.size, parallel=case.in_flight)
    engine = Qdrant(path, params)
    engine.create(Schema(case.dim, "l2", (Field("pk", "integer"),)))
    ids = np.arange(case.rows)
    batch = Batch(ids, vectors, {"pk": ids})
    _told(url)
    start, cpu = time.perf_counter(), time.process_time()
    engine.index(batch)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    taken = _told(url)
    assert taken["requests"] == -(-case.rows // case.size), taken
    engine.drop()
    return [seconds, cpu, taken["bytes"]]


def _told(url: str) -> dict[str, int]:
    with urllib.request.urlopen(f"{url}/taken") as answer:
        told: dict[str, int] = orjson.loads(answer.read())
    return told


if __name__ == "__main__":
    show(figures())
