"""Loading PostgreSQL through the adapter and through VectorDBBench's client, side by side on one server.

    BAKEOFF_VDBB_PYTHON=/path/to/venv/bin/python python -m tests.perf.ingest_pgvector

That Python needs `pip install 'vectordb-bench[pgvector]'`. Rounds alternate; the median of each is shown.
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
from urllib.parse import parse_qs, urlsplit

import numpy as np

from engines.base import Batch, Schema
from engines.pgvector import local
from engines.pgvector.adapter import IndexParams, PgVector
from engines.server import variable
from tests.perf.table import show

ROUNDS = 5
CASES = [
    (128, 1000, 1),
    (128, 1000, 4),
    (768, 100, 1),
    (768, 1000, 1),
    (768, 1000, 4),
]  # dim, batch, connections
_ROWS = {128: 40_000, 768: 16_000}
# Prints the seconds of its inserts; connecting and making lists of the vectors are not counted.
_THEIRS = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from vectordb_bench.backend.clients.api import MetricType
from vectordb_bench.backend.clients.pgvector.config import PgVectorHNSWConfig
from vectordb_bench.backend.clients.pgvector.pgvector import PgVector
host, file, size, threads = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
vectors = np.load(file)
connect = dict(host=host, port=5432, dbname="postgres", user="postgres", password="")
config = PgVectorHNSWConfig(metric_type=MetricType.L2, m=16, ef_construction=100)
db = PgVector(vectors.shape[1], dict(connect_config=connect, table_name="theirs"), config, drop_old=True)
batches = [(vectors[i : i + size].tolist(), list(range(i, i + size))) for i in range(0, len(vectors), size)]
def load(share):
    own = db.copy_for_thread()
    with own.init():
        start = time.perf_counter()
        for embeddings, ids in share:
            count, error = own.insert_embeddings(embeddings, ids)
            assert error is None and count == len(ids), error
        return start, time.perf_counter()
with ThreadPoolExecutor(threads) as pool:
    spans = list(pool.map(load, [batches[i::threads] for i in range(threads)]))
print(max(end for _, end in spans) - min(start for start, _ in spans))
with db.init():
    assert db.cursor.execute("select count(*) from theirs").fetchone()[0] == len(vectors)
    db.cursor.execute("drop table theirs")
    db.conn.commit()
"""


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit; without BAKEOFF_VDBB_PYTHON the reference is missing."""
    python = os.environ.get("BAKEOFF_VDBB_PYTHON")
    with tempfile.TemporaryDirectory(prefix="bakeoff-ingest-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with local.running(folder / "server", cpus=2, memory_bytes=2 << 30) as server:
            os.environ[variable("pgvector", "URL")] = server.settings["URL"]
            host = parse_qs(urlsplit(server.settings["URL"]).query)["host"][0]
            return [_case(folder, host, python, case) for case in CASES]


def _case(folder: Path, host: str, python: str | None, case: tuple[int, int, int]) -> dict[str, Any]:
    dim, size, connections = case
    vectors = np.random.default_rng(0).standard_normal((_ROWS[dim], dim), dtype=np.float32)
    file = folder / "vectors.npy"
    np.save(file, vectors)
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(len(vectors) / _our_seconds(folder, vectors, size, connections))
        if python:
            command = [python, "-c", _THEIRS, host, str(file), str(size), str(connections)]
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                sys.exit(f"VectorDBBench failed: {run.stderr}")
            theirs.append(len(vectors) / float(run.stdout.split()[-1]))
    mean, reference = median(ours), median(theirs) if theirs else None
    return {
        "name": f"pgvector: load {dim}-d, {size} a batch, {connections} connections, against VectorDBBench",
        "ours": mean,
        "reference": reference,
        "ratio": mean / reference if reference else None,
        "unit": "vectors/s",
    }


def _our_seconds(folder: Path, vectors: np.ndarray, size: int, connections: int) -> float:
    path = folder / "ours"
    path.mkdir(exist_ok=True)
    engine = PgVector(path, IndexParams(connections=connections))
    engine.create(Schema(vectors.shape[1], "l2"))
    ids = np.arange(len(vectors))
    step = size * connections  # each connection gets `size` of it
    start = time.perf_counter()
    for first in range(0, len(vectors), step):
        engine.index(Batch(ids[first : first + step], vectors[first : first + step]))
    seconds = time.perf_counter() - start
    assert engine.count() == len(vectors)
    engine.drop()
    return seconds


if __name__ == "__main__":
    show(figures())
