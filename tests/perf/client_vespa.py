"""What a query and a document cost in the client of Vespa, beside a bare socket and pyvespa: CPU time of the process.

    python -m tests.perf.client_vespa

The stand-in answers, in a process of its own: these are figures of the clients only, whose work does not depend on who
answers. The socket sends the adapter's request as it is ready-made, and reads what comes at once. Parts of a round
are measured in turn, so that what disturbs one disturbs all; medians of the rounds.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import orjson
from vespa.application import Vespa as PyVespa

from engines.base import Batch, Schema
from engines.server import variable
from engines.vespa.adapter import Vespa
from engines.vespa.params import IndexParams
from engines.vespa.values import NAMESPACE
from tests.perf.table import show
from tests.servers.vespa_stand_in import StandIn, listening

K, QUERIES, ROUNDS = 10, 50, 15
DOCUMENTS, FEEDS, WORKERS = 300, 5, 8


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    with _standing_in():
        return [row for dim in (128, 768) for row in (*_queries(dim), *_documents(dim))]


@contextmanager
def _standing_in() -> Iterator[None]:
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there,), daemon=True)
    process.start()
    try:
        os.environ[variable("vespa", "URL")] = os.environ[variable("vespa-config", "URL")] = here.recv()
        yield
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Connection) -> None:
    with listening(StandIn()) as url:
        pipe.send(url)
        pipe.poll(None)  # until it is ended


@contextmanager
def _engine(dim: int) -> Iterator[Vespa]:
    with tempfile.TemporaryDirectory(prefix="bakeoff-client-") as folder:
        engine = Vespa(Path(folder), IndexParams(max_workers=WORKERS))
        engine.create(Schema(dim, "l2"))
        yield engine
        engine.drop()


def _batch(dim: int) -> Batch:
    vectors = np.random.default_rng(0).standard_normal((DOCUMENTS, dim), dtype=np.float32)
    return Batch(np.arange(DOCUMENTS), vectors)


def _queries(dim: int) -> list[dict[str, Any]]:
    vector = np.random.default_rng(1).standard_normal(dim, dtype=np.float32)
    with _engine(dim) as engine:
        engine.index(_batch(dim))
        body = engine._queries.nearest(vector, K, None, exact=False)
        asked = orjson.loads(body)
        app = PyVespa(os.environ[variable("vespa", "URL")])
        with app.syncio(connections=1, compress=False) as session:

            def official() -> list[int]:
                answer = session.query(body={**asked, "input.query(q)": vector.tolist()})
                return [hit["fields"]["id"] for hit in answer.hits]

            calls = {
                "bare socket": _exchange(body),
                "query()": lambda: engine.query(vector, K),
                "query() and decoding": lambda: list(engine.query(vector, K).ids),
                "pyvespa": official,
            }
            times = _rounds(calls, QUERIES, ROUNDS)
    bare, official_us = times.pop("bare socket"), times.pop("pyvespa")
    rows = [_row(f"{dim}-d, {part} / bare socket", mine, bare, "at most 2.5") for part, mine in times.items()]
    return [
        *rows,
        _row(f"{dim}-d, pyvespa's query / bare socket", official_us, bare, ""),
        _row(f"{dim}-d, query() / pyvespa's query", times["query()"], official_us, ""),
    ]


def _documents(dim: int) -> list[dict[str, Any]]:
    batch, failed = _batch(dim), []
    with _engine(dim) as engine:
        app, name = PyVespa(os.environ[variable("vespa", "URL")]), engine._name

        def official(*, compress: Any) -> None:
            documents = (
                {"id": str(id_), "fields": {"id": id_, "embedding": vector.tolist()}}
                for id_, vector in zip(batch.ids.tolist(), batch.vectors, strict=True)
            )
            app.feed_iterable(
                documents,
                schema=name,
                namespace=NAMESPACE,
                callback=lambda answer, _: None if answer.is_successful() else failed.append(answer),
                max_workers=WORKERS,
                compress=compress,
            )

        calls = {
            "index()": lambda: engine.index(batch),
            "pyvespa's feed_iterable": lambda: official(compress="auto"),
            "pyvespa's feed_iterable, compress=False": lambda: official(compress=False),
        }
        times = {part: taken / DOCUMENTS for part, taken in _rounds(calls, 1, FEEDS).items()}
    assert not failed, failed[0].json
    ours = times.pop("index()")
    return [
        _row(f"{dim}-d, index() / {part}, a document", ours, theirs, "") for part, theirs in times.items()
    ]


def _exchange(body: bytes) -> Callable[[], bytes]:
    address = urlsplit(os.environ[variable("vespa", "URL")])
    head = f"POST /search/ HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body
    connection = socket.create_connection((address.hostname, address.port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exchange() -> bytes:
        connection.sendall(request)
        return connection.recv(1 << 16)

    return exchange


def _rounds(calls: dict[str, Callable[[], Any]], repeats: int, rounds: int) -> dict[str, float]:
    """Median CPU time of a call, in microseconds, all threads of this process together."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.process_time_ns()
            for _ in range(repeats):
                call()
            taken[name].append((time.process_time_ns() - start) / (1e3 * repeats))
    return {name: statistics.median(found) for name, found in taken.items()}


def _row(name: str, ours: float, reference: float, note: str) -> dict[str, Any]:
    return {
        "name": f"vespa {name}",
        "ours": ours,
        "reference": reference,
        "ratio": ours / reference,
        "unit": "us",
        "note": note,
    }


if __name__ == "__main__":
    show(figures())
