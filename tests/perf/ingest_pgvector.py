"""Loading PostgreSQL, as tests.perf.ingest says: `python -m tests.perf.ingest_pgvector`."""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np

from engines.base import Batch, Schema
from engines.pgvector import local
from engines.pgvector.adapter import IndexParams, PgVector
from engines.server.endpoint import variable
from tests.perf.ingest import Case, Contest, compare
from tests.perf.table import show

CASES = [
    Case(128, 40_000, 1000, 1),
    Case(128, 40_000, 1000, 4),
    Case(768, 16_000, 100, 1),
    Case(768, 16_000, 1000, 1),
    Case(768, 16_000, 1000, 4),
]
_THEIRS = """
from vectordb_bench.backend.clients.pgvector.config import PgVectorHNSWConfig
from vectordb_bench.backend.clients.pgvector.pgvector import PgVector
connect = dict(host=target, port=5432, dbname="postgres", user="postgres", password="")
config = PgVectorHNSWConfig(metric_type=MetricType.L2, m=16, ef_construction=100)
db = PgVector(vectors.shape[1], dict(connect_config=connect, table_name="theirs"), config, drop_old=True)
def load(share):
    own = db.copy_for_thread()
    with own.init():
        start = time.perf_counter()
        for embeddings, ids in share:
            count, error = own.insert_embeddings(embeddings, ids)
            assert error is None and count == len(ids), error
        return start, time.perf_counter()
with ThreadPoolExecutor(in_flight) as pool:
    spans = list(pool.map(load, [batches[i::in_flight] for i in range(in_flight)]))
print(max(end for _, end in spans) - min(start for start, _ in spans))
with db.init():
    assert db.cursor.execute("select count(*) from theirs").fetchone()[0] == len(vectors)
    db.cursor.execute("drop table theirs")
    db.conn.commit()
"""


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    with tempfile.TemporaryDirectory(prefix="bakeoff-ingest-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with local.running(folder / "server", cpus=2, memory_bytes=2 << 30) as server:
            os.environ[variable("pgvector", "URL")] = server.settings["URL"]
            host = parse_qs(urlsplit(server.settings["URL"]).query)["host"][0]
            return compare(Contest("pgvector", host, _our_seconds, _THEIRS, number=5), CASES)


def _our_seconds(path: Path, vectors: np.ndarray, case: Case) -> list[float]:
    engine = PgVector(path, IndexParams(connections=case.in_flight))
    engine.create(Schema(case.dim, "l2"))
    ids = np.arange(case.rows)
    step = case.size * case.in_flight  # each connection gets `size` of it
    start = time.perf_counter()
    for first in range(0, case.rows, step):
        engine.index(Batch(ids[first : first + step], vectors[first : first + step]))
    seconds = time.perf_counter() - start
    assert engine.count() == case.rows
    engine.drop()
    return [seconds]


if __name__ == "__main__":
    show(figures())
