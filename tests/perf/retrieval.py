"""What the service's three stages add to a call of the adapter, in one process and one request at a time.

The truth is in SQLite, the index FAISS' graph. Both are asked alternately with the same vectors, so that other work on
the machine slows both.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from engines.base import Batch, Engine
from engines.faiss.adapter import Faiss
from engines.faiss.params import IndexParams
from engines.filters import And, Eq, Filter, Range
from service.catalogue.listing import Fields, Listing, Put
from service.catalogue.opening import open_store
from service.limits.deadline import Deadline
from service.limits.threads import Threads
from service.retrieval.options import RerankOptions, RetrievalOptions
from service.retrieval.retrieval import Retrieval
from service.retrieval.users import UserVectors
from service.retrieval.values import Request
from tests.perf.table import show
from tests.unit.service.memory.truth import SCHEMA, columns, listings

ROWS, DIM, ASKED, AT_ONCE = 20_000, 128, 500, 2_000
FILTERS: dict[str, Filter | None] = {
    "no filter": None,
    "half match": Eq("new", True),
    "1 in 80 matches": And((Eq("brand", "acme"), Eq("size", 38), Range("price", lt=20))),
}


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        schema = replace(SCHEMA, engine=replace(SCHEMA.engine, dim=DIM))
        stored = listings(ROWS, dim=DIM)
        store = open_store(str(Path(folder) / "truth.sqlite"), schema)
        for first in range(0, ROWS, AT_ONCE):
            store.write([_put(one) for one in stored[first : first + AT_ONCE]])
        engine = _filled(Path(folder) / "index", stored)
        options = RetrievalOptions(rerank=RerankOptions(price="price"), threads=1)
        models = {"live": UserVectors(store, schema.engine)}
        retrieval = Retrieval(store, {"live": engine}, models, options)
        try:
            began = time.perf_counter()
            retrieval.load()
            read_s = time.perf_counter() - began
            rows = asyncio.run(_added(retrieval, engine))
        finally:
            retrieval.close()
            store.close()
    return [*rows, {"name": "listings read from the truth at the start", "ours": ROWS / read_s, "unit": "/s"}]


def _put(one: Listing) -> Put:
    return Put(one.id, Fields(one.attributes, one.details, one.vector, one.model))


def _filled(folder: Path, stored: list[Listing]) -> Engine:
    folder.mkdir()
    engine = Faiss(folder, IndexParams())
    engine.create(replace(SCHEMA.engine, dim=DIM))
    engine.index(Batch(np.arange(ROWS), np.stack([one.vector for one in stored]), columns(stored)))
    engine.refresh()
    return engine


async def _added(retrieval: Retrieval, engine: Engine) -> list[dict[str, Any]]:
    vectors = np.random.default_rng(1).standard_normal((ASKED, DIM)).astype(np.float32)
    threads, hops = Threads("hop", 1, 1), []
    for _ in range(ASKED):
        began = time.perf_counter()
        await threads.run(_soon(), int)
        hops.append(time.perf_counter() - began)
    threads.close()
    rows = [_row("a call of nothing in a thread, P50", float(np.median(hops)), None)]
    for k in (10, 100):
        for name, where in FILTERS.items():
            bare, whole = [], []
            for vector in vectors:
                bare.append(_timed(engine.query, vector, k, where))
                began = time.perf_counter()
                answer = await retrieval.answer(Request(k, vector, where=where), _soon())
                whole.append(time.perf_counter() - began)
                if len(answer.hits) < k or answer.fallback:
                    raise RuntimeError(f"not answered as asked: {answer.short} {answer.fallback}")
            for share in (0.5, 0.99):
                ours, theirs = float(np.quantile(whole, share)), float(np.quantile(bare, share))
                rows.append(
                    _row(f"k = {k}, {name}, P{round(100 * share)}: three stages / adapter", ours, theirs)
                )
    return rows


def _timed(call: Callable[..., object], *arguments: object) -> float:
    began = time.perf_counter()
    call(*arguments)
    return time.perf_counter() - began


def _soon() -> Deadline:
    return Deadline.after(time.monotonic(), 30)


def _row(name: str, ours_s: float, reference_s: float | None) -> dict[str, Any]:
    row: dict[str, Any] = {"name": name, "ours": ours_s * 1e3, "unit": "ms"}
    if reference_s is not None:
        row |= {"reference": reference_s * 1e3, "ratio": ours_s / reference_s}
        row["note"] = f"{(ours_s - reference_s) * 1e3:.2f} ms more"
    return row


if __name__ == "__main__":
    show(figures())
