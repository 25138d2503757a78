"""What a query and a document cost in the client of Vespa, beside a bare socket and pyvespa: CPU time of the process.

    python -m tests.perf.client_vespa

The stand-in answers, in a process of its own: these are figures of the clients only, whose work does not depend on who
answers."""

from __future__ import annotations

import multiprocessing
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from vespa.application import Vespa as PyVespa

from engines.base import Batch, Schema
from engines.server.endpoint import variable
from engines.vespa.adapter import Vespa
from engines.vespa.params import IndexParams
from engines.vespa.values import NAMESPACE
from tests.perf.clients import beside_socket, exchange, rounds, row
from tests.perf.table import show
from tests.servers.vespa_stand_in import StandIn, listening

K, QUERIES, ROUNDS = 10, 50, 15
DOCUMENTS, FEEDS, WORKERS = 300, 5, 8


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    with _standing_in():
        return [found for dim in (128, 768) for found in (*_queries(dim), *_documents(dim))]


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
        url = os.environ[variable("vespa", "URL")]
        app = PyVespa(url)
        with app.syncio(connections=1, compress=False) as session:

            def official() -> list[int]:
                answer = session.query(body={**asked, "input.query(q)": vector.tolist()})
                return [hit["fields"]["id"] for hit in answer.hits]

            calls = {
                "bare socket": exchange(url, "/search/", body),
                "query()": lambda: engine.query(vector, K),
                "query() and decoding": lambda: list(engine.query(vector, K).ids),
                "pyvespa's query": official,
            }
            times = rounds(calls, QUERIES, ROUNDS, clock=time.process_time_ns)
    return beside_socket("vespa", dim, times, "pyvespa's query")


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
        times = rounds(calls, 1, FEEDS, units=DOCUMENTS, clock=time.process_time_ns)
    assert not failed, failed[0].json
    ours = times.pop("index()")
    return [
        row(f"vespa {dim}-d, index() / {part}, a document", ours, theirs) for part, theirs in times.items()
    ]


if __name__ == "__main__":
    show(figures())
