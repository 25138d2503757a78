"""CPU time that this side spends on a query to PostgreSQL, by the layer of psycopg that is used. One run, in turns.

    python -m tests.perf.client_pgvector

The floor is a socket that sends the same bytes and reads the whole answer without looking at it.
"""

from __future__ import annotations

import os
import socket
import struct
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import psycopg
from psycopg import pq
from psycopg.adapt import Dumper

from engines.base import Batch, Field, Schema
from engines.filters import And, Eq, Range
from engines.pgvector import binary, local
from engines.pgvector.adapter import IndexParams, PgVector
from engines.server.endpoint import Endpoint, variable
from engines.server.names import collection_name
from tests.perf.clients import rounds, row
from tests.perf.table import show

ROUNDS, QUERIES, K = 9, 400, 10
WHERE = And((Eq("flag", True), Range("price", gte=1, lt=900)))


class VectorDumper(Dumper):
    """NumPy arrays as vectors in binary format, as an application would give them to psycopg."""

    format = pq.Format.BINARY

    def dump(self, obj: Any) -> bytes:
        return binary.vector(obj)


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit: microseconds of CPU a query."""
    with tempfile.TemporaryDirectory(prefix="bakeoff-client-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with local.running(folder / "server", cpus=2, memory_bytes=1 << 30) as server:
            os.environ[variable("pgvector", "URL")] = server.settings["URL"]
            return [found for dim in (128, 768) for found in _measured(folder, dim)]


def _measured(folder: Path, dim: int) -> list[dict[str, Any]]:
    path = folder / f"dim{dim}"
    path.mkdir()
    rng = np.random.default_rng(0)
    schema = Schema(dim, "l2", (Field("price", "integer"), Field("flag", "boolean")))
    engine = PgVector(path, IndexParams())
    engine.create(schema)
    columns = {"price": rng.integers(0, 1000, 1000), "flag": rng.random(1000) < 0.5}
    engine.index(Batch(np.arange(1000), rng.standard_normal((1000, dim), dtype=np.float32), columns))
    engine.refresh()
    queries = rng.standard_normal((QUERIES, dim), dtype=np.float32)
    endpoint = Endpoint.of("pgvector")
    with (
        psycopg.connect(endpoint.url, user=endpoint.user, autocommit=True) as connection,
        raw_socket(path, dim) as raw,
    ):
        connection.adapters.register_dumper(np.ndarray, VectorDumper)
        connection.prepare_threshold = 0
        layers = _layers(engine, connection, collection_name(path)) | {"raw socket": raw}
        calls = {name: partial(_all, ask, queries) for name, ask in layers.items()}
        rounds(calls, 1, 1)  # warms up
        times = rounds(calls, 1, ROUNDS, units=QUERIES, clock=time.process_time_ns)
    engine.drop()
    (ours, cost), *others = times.items()
    return [
        row(f"pgvector: {dim}-d query through {ours}, against {other}", cost, reference, "us CPU")
        for other, reference in others
    ]


def _all(ask: Callable[[Any], object], queries: np.ndarray) -> None:
    for vector in queries:
        ask(vector)


def _layers(
    engine: PgVector, connection: psycopg.Connection[Any], table: str
) -> dict[str, Callable[[Any], object]]:
    """Ways to ask; ours first, as the harness times it: the answer is decoded later."""
    sql = f"select id, embedding <-> %s::vector from {table} order by 2 limit {K}"
    cursor = connection.cursor(binary=True)

    def decoded(vector: Any) -> object:
        return list(engine.query(vector, K).ids)

    return {
        "exec_prepared of libpq": lambda vector: engine.query(vector, K),
        "the same, decoded": decoded,
        "the same, with a filter": lambda vector: engine.query(vector, K, WHERE),
        "one psycopg cursor": lambda vector: cursor.execute(sql, (vector,)).fetchall(),
        "Connection.execute": lambda vector: connection.execute(sql, (vector,), binary=True).fetchall(),
    }


@contextmanager
def raw_socket(path: Path, dim: int) -> Iterator[Callable[[Any], object]]:
    """Speaks the least of PostgreSQL's protocol: Bind, Execute and Sync in one send."""
    folder = parse_qs(urlsplit(os.environ[variable("pgvector", "URL")]).query)["host"][0]
    table = collection_name(path)
    sql = f"select id, embedding <-> $1::vector from {table} order by 2 limit {K}"
    size = 4 + 4 * dim

    def message(kind: bytes, body: bytes) -> bytes:
        return kind + struct.pack(">i", 4 + len(body)) + body

    with socket.socket(socket.AF_UNIX) as link:
        link.connect(f"{folder}/.s.PGSQL.5432")
        version = struct.pack(">i", 3 << 16)
        link.sendall(message(b"", version + b"user\0postgres\0database\0postgres\0\0"))
        _until_ready(link)
        link.sendall(message(b"P", b"\0" + sql.encode() + b"\0\0\0") + message(b"S", b""))
        _until_ready(link)
        head = b"\0\0" + struct.pack(">hhhi", 1, 1, 1, size)
        tail = message(b"E", b"\0\0\0\0\0") + message(b"S", b"")

        def ask(vector: Any) -> bytes:
            link.sendall(message(b"B", head + binary.vector(vector) + struct.pack(">hh", 1, 1)) + tail)
            return _until_ready(link)

        yield ask


def _until_ready(link: socket.socket) -> bytes:
    data = link.recv(65536)
    while not data.endswith(b"Z\0\0\0\5I"):
        data += link.recv(65536)
    return data


if __name__ == "__main__":
    show(figures())
