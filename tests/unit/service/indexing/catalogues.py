"""A small catalogue, the engines that it is projected into, and how it is written to and waited for."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Field, Schema
from engines.registry import MissingClientError, load
from service.catalogue.listing import Change, Fields, Patch, Put, Remove
from service.catalogue.opening import open_store
from service.catalogue.schema import CatalogueSchema
from service.catalogue.sql import SqlStore
from service.indexing.collection import EngineChoice
from service.indexing.live import LiveIndex

WAIT_S = 30.0
ENGINE = Schema(
    8,
    "cosine",
    (Field("brand", "keyword"), Field("price", "float"), Field("size", "integer"), Field("sale", "boolean")),
)
SCHEMA = CatalogueSchema(ENGINE, {"sale": False}, ("title",), (), ("title",), None, "brand")
ENGINES: dict[str, tuple[str, dict[str, Any]]] = {
    "bruteforce": ("bruteforce", {}),
    "faiss": ("faiss", {"kind": "hnsw"}),
    "faiss-ivf": ("faiss", {"kind": "ivf", "nlist": 4}),
    "qdrant-edge": ("qdrant-edge", {}),
    "milvus-lite": ("milvus-lite", {"index_type": "FLAT"}),
}


def choice(label: str) -> EngineChoice:
    """The engine of a label; skips the test where its client is missing."""
    name, index = ENGINES[label]
    try:
        load(name)
    except MissingClientError as error:
        pytest.skip(str(error))
    return EngineChoice.of(name, index, {})


def open_catalogue(folder: Path) -> SqlStore:
    return open_store(str(folder / "catalogue.sqlite"), SCHEMA)


def index_of(store: SqlStore, label: str, folder: Path, *, renews: bool = False) -> LiveIndex:
    return LiveIndex(store, choice(label), folder / "index", poll_s=0.02, renews=renews)


def fields(rng: random.Random) -> Fields:
    attributes = {
        "brand": f"b{rng.randrange(3)}",
        "price": rng.randrange(1000) / 8,
        "size": rng.randrange(40),
        "sale": rng.random() < 0.5,
    }
    vector = np.array([rng.gauss(0, 1) for _ in range(ENGINE.dim)], np.float32)
    return Fields(attributes, {"title": f"coat {rng.randrange(100)}"}, vector)


def change(rng: random.Random, ids: list[str]) -> Change:
    """A listing put whole, given another price, or sold."""
    id_ = rng.choice(ids)
    kind = rng.random()
    if kind < 0.6:
        return Put(id_, fields(rng))
    return Patch(id_, Fields({"price": rng.randrange(1000) / 8})) if kind < 0.8 else Remove(id_)


def write(store: SqlStore, count: int, seed: int = 0) -> int:
    """Random changes; a place that is not before the last one."""
    rng = random.Random(seed)
    ids = [f"id-{place}" for place in range(40)]
    store.write([change(rng, ids) for _ in range(count)])
    return store.last_seq()


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def agreed(index: LiveIndex, seq: int) -> None:
    assert index.wait(seq, WAIT_S), index.status()
    found = index.check()
    assert found.agree, found
    assert found.pending == 0
