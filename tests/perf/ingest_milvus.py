"""Loading a Milvus server through the adapter and through VectorDBBench's client, side by side on one server.

    BAKEOFF_VDBB_PYTHON=/path/to/venv/bin/python python -m tests.perf.ingest_milvus

That Python needs `pip install vectordb-bench`. Collections hold the same: key, vector, one integer with its index. Both
insert into one that is empty and loaded; rounds alternate, and the median of each is shown.
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

from engines.base import Batch, Field, Schema
from engines.milvus.adapter import Milvus
from engines.server import variable
from tests.perf.table import show
from tests.servers.launch import Servers

ROUNDS = 5
CASES = [
    (128, 100, 4),
    (128, 1000, 1),
    (128, 1000, 4),
    (768, 100, 4),
    (768, 1000, 4),
]  # dim, batch, in flight
_ROWS = {128: 60_000, 768: 16_000}
_GIVEN = 8000  # rows in one call of the adapter, which makes the batches of it
_INTEGER_BYTES = 16  # of a row, beside its vector
# Prints the seconds of its inserts; connecting and making lists of the vectors are not counted.
_THEIRS = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from vectordb_bench.backend.clients.api import MetricType
from vectordb_bench.backend.clients.milvus.config import HNSWConfig
from vectordb_bench.backend.clients.milvus.milvus import Milvus
url, file, size, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
vectors = np.load(file)
config = HNSWConfig(metric_type=MetricType.L2, M=16, efConstruction=100)
db = Milvus(vectors.shape[1], dict(uri=url), config, collection_name="theirs", drop_old=True)
batches = [(vectors[i : i + size].tolist(), list(range(i, i + size))) for i in range(0, len(vectors), size)]
def insert(batch):
    count, error = db.insert_embeddings(*batch)
    assert error is None and count == len(batch[1]), error
with db.init(), ThreadPoolExecutor(threads) as pool:
    start = time.perf_counter()
    list(pool.map(insert, batches))
    print(time.perf_counter() - start)
    rows = db.client.query("theirs", "", ["count(*)"], consistency_level="Strong")[0]["count(*)"]
    assert rows == len(vectors), rows
    db.client.drop_collection("theirs")
"""


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit; without BAKEOFF_VDBB_PYTHON the reference is missing."""
    servers = Servers()
    try:
        servers.require("milvus")
        with tempfile.TemporaryDirectory(prefix="bakeoff-ingest-") as folder:
            return [_case(Path(folder), os.environ.get("BAKEOFF_VDBB_PYTHON"), *case) for case in CASES]
    finally:
        servers.close()


def _case(folder: Path, python: str | None, dim: int, size: int, in_flight: int) -> dict[str, Any]:
    vectors = np.random.default_rng(0).standard_normal((_ROWS[dim], dim), dtype=np.float32)
    file = folder / "vectors.npy"
    np.save(file, vectors)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(len(vectors) / _our_seconds(folder, vectors, size, in_flight))
        if python:
            url = os.environ[variable("milvus", "URL")]
            command = [python, "-c", _THEIRS, url, str(file), str(size), str(in_flight)]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                sys.exit(f"VectorDBBench failed: {run.stderr}")
            theirs.append(len(vectors) / float(run.stdout.split()[-1]))
    mean, reference = median(ours), median(theirs) if theirs else None
    return {
        "name": f"milvus: load {dim}-d, {size} a request, {in_flight} in flight; VectorDBBench",
        "ours": mean,
        "reference": reference,
        "ratio": mean / reference if reference else None,
        "unit": "vectors/s",
    }


def _our_seconds(folder: Path, vectors: np.ndarray, size: int, in_flight: int) -> float:
    path = folder / "ours"
    path.mkdir(exist_ok=True)
    request_bytes = size * (4 * vectors.shape[1] + _INTEGER_BYTES)
    engine = Milvus(path, Milvus.IndexParams(request_bytes=request_bytes, in_flight=in_flight))
    engine.create(Schema(vectors.shape[1], "l2", (Field("number", "integer"),)))
    ids = np.arange(len(vectors))
    start = time.perf_counter()
    for first in range(0, len(vectors), _GIVEN):
        rows = slice(first, first + _GIVEN)
        engine.index(Batch(ids[rows], vectors[rows], {"number": ids[rows]}))
    seconds = time.perf_counter() - start
    assert engine.count() == len(vectors)
    engine.drop()
    return seconds


if __name__ == "__main__":
    show(figures())
