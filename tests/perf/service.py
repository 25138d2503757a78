"""The service's catalogue and index: writes that share commits, and how long until a listing is searchable.

Beside each the same without what it is for: one writer alone, and the acknowledgement without the index.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from engines.base import Field, Schema
from service.catalogue.listing import Fields, Put, Written
from service.catalogue.opening import open_store
from service.catalogue.schema import CatalogueSchema
from service.catalogue.sql import SqlStore
from service.indexing.collection import EngineChoice
from service.indexing.live import LiveIndex
from tests.perf.load import percentile
from tests.perf.table import show

DIM, LISTINGS, WRITERS, SECONDS, PROBES, RATE = 64, 20_000, 64, 2.0, 300, 50
ENGINES: dict[str, tuple[str, dict[str, Any]]] = {
    "FAISS HNSW": ("faiss", {"kind": "hnsw"}),
    "qdrant-edge": ("qdrant-edge", {}),
}
SCHEMA = CatalogueSchema(
    Schema(DIM, "cosine", (Field("brand", "keyword"), Field("price", "float"), Field("size", "integer"))),
    details=("title", "description"),
    texts=("title",),
)


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit."""
    rows = _writing()
    for label, (name, index) in ENGINES.items():
        rows += _searchable(label, EngineChoice.of(name, index, {}))
    return rows


@contextmanager
def _catalogue() -> Iterator[tuple[SqlStore, Path]]:
    with tempfile.TemporaryDirectory() as folder:
        store = open_store(f"{folder}/catalogue.sqlite", SCHEMA)
        try:
            yield store, Path(folder)
        finally:
            store.close()


def _put(place: int, rng: random.Random) -> Put:
    attributes = {"brand": f"b{rng.randrange(50)}", "price": rng.random() * 100, "size": rng.randrange(40)}
    details = {"title": "a coat of wool", "description": "worn twice, " * 20}
    vector = np.array([rng.gauss(0, 1) for _ in range(DIM)], np.float32)
    return Put(f"id-{place}", Fields(attributes, details, vector))


def _rate(writers: int, at_once: int) -> tuple[float, float]:
    """Listings a second, and listings a commit."""
    with _catalogue() as (store, _):
        puts = [[_put(number, random.Random(number)) for number in range(at_once)] for _ in range(writers)]
        end = time.perf_counter() + SECONDS

        def write(writer: int) -> int:
            done = 0
            while time.perf_counter() < end:
                store.write(
                    [Put(f"{writer}-{done + place}", put.fields) for place, put in enumerate(puts[writer])]
                )
                done += at_once
            return done

        before = store.commits
        with ThreadPoolExecutor(writers) as threads:
            written = sum(threads.map(write, range(writers)))
        return written / SECONDS, written / (store.commits - before)


def _writing() -> list[dict[str, Any]]:
    alone, _ = _rate(1, 1)
    rows = []
    for writers, at_once in ((8, 1), (WRITERS, 1), (1, 1000)):
        rate, shared = _rate(writers, at_once)
        name = f"{writers} writers, {at_once:,} listings a call / one writer, one listing"
        note = f"{shared:.0f} listings a commit"
        rows.append(
            {"name": name, "ours": rate, "reference": alone, "ratio": rate / alone, "unit": "listings/s"}
            | {"note": note}
        )
    return rows


def _searchable(label: str, choice: EngineChoice) -> list[dict[str, Any]]:
    """Single listings put at RATE a second, with queries in between: from the call until a query finds them."""
    with _catalogue() as (store, folder):
        rng = random.Random(1)
        for first in range(0, LISTINGS, 1000):
            store.write([_put(first + place, rng) for place in range(1000)])
        index = LiveIndex(store, choice, folder / "index")
        start = time.perf_counter()
        index.start()
        filled_s = time.perf_counter() - start
        acknowledged, searchable = _probes(store, index, rng)
        start = time.perf_counter()
        index.rebuild()
        rebuilt_s = time.perf_counter() - start
        start = time.perf_counter()
        agree = index.check().agree
        checked_s = time.perf_counter() - start
        index.close()
    if not agree:
        raise RuntimeError(f"{label}: index and truth differ")
    rows = []
    for share, name, note in ((0.5, "median", ""), (0.99, "P99", "at most 100 ms")):
        ours, reference = (percentile(times, share) / 1e6 for times in (searchable, acknowledged))
        rows.append(
            {
                "name": f"{label}: searchable after, {name} / acknowledged after",
                "ours": ours,
                "reference": reference,
            }
            | {"ratio": ours / reference, "unit": "ms", "note": note}
        )
    size = f"{LISTINGS:,} listings of {DIM} dimensions"
    return [
        *rows,
        {"name": f"{label}: {size} filled at the start", "ours": filled_s, "unit": "s"},
        {
            "name": f"{label}: the same rebuilt / filled",
            "ours": rebuilt_s,
            "reference": filled_s,
            "unit": "s",
        },
        {"name": f"{label}: the same checked", "ours": checked_s, "unit": "s"},
    ]


def _probes(store: SqlStore, index: LiveIndex, rng: random.Random) -> tuple[np.ndarray, np.ndarray]:
    """Nanoseconds from each call until it was acknowledged, and until a query can find it."""
    took: list[tuple[int, int]] = []
    asked = np.array([rng.gauss(0, 1) for _ in range(DIM)], np.float32)
    for probe in range(PROBES):
        put = _put(LISTINGS + probe, rng)
        start = time.perf_counter_ns()
        (outcome,) = store.write([put])
        acknowledged = time.perf_counter_ns()
        assert isinstance(outcome, Written)
        if not index.wait(outcome.seq, 10):
            raise RuntimeError(f"not searchable within 10 s: {index.status()}")
        took.append((acknowledged - start, time.perf_counter_ns() - start))
        while time.perf_counter_ns() - start < 1e9 / RATE:
            index.query(asked, 10)
    times = np.array(took, np.int64)
    return times[:, 0], times[:, 1]


if __name__ == "__main__":
    show(figures())
