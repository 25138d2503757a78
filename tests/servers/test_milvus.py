"""What only a real Milvus shows beside the conformance suite: its kinds of index, and how fresh its answers are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Batch, EngineError, Field, Schema
from engines.filters import Eq
from tests.servers.launch import Servers, UnavailableError

pytest.importorskip("pymilvus")

from engines.milvus.adapter import Milvus

ROWS, DIM = 4000, 16
SCHEMA = Schema(DIM, "l2", (Field("group", "integer"),))
LEVELS = ("Strong", "Session", "Bounded", "Eventually")


@pytest.fixture(scope="module", autouse=True)
def server(request: pytest.FixtureRequest) -> Iterator[None]:
    servers = Servers()
    try:
        servers.require("milvus")
    except UnavailableError as error:
        if "milvus" in request.config.getoption("--require-engine"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield
    servers.close()


@pytest.fixture(scope="module")
def batch() -> Batch:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((40, DIM))
    vectors = centres[np.arange(ROWS) % 40] + 0.4 * rng.standard_normal((ROWS, DIM))
    return Batch(np.arange(ROWS), vectors.astype(np.float32), {"group": np.arange(ROWS) % 7})


def made(path: Path, **index: Any) -> Milvus:
    engine = Milvus(path, Milvus.IndexParams(**index))
    engine.create(SCHEMA)
    return engine


def nearest(batch: Batch, query: np.ndarray, k: int) -> set[int]:
    return set(np.argsort(((batch.vectors - query) ** 2).sum(axis=1))[:k].tolist())


@pytest.mark.parametrize("index_type", ["IVF_FLAT", "IVF_SQ8", "SCANN", "HNSW"])
def test_kinds_of_index(tmp_path: Path, batch: Batch, index_type: str) -> None:
    lists = {} if index_type == "HNSW" else {"nlist": 64}
    engine = made(tmp_path, index_type=index_type, request_bytes=1 << 16, **lists)
    try:
        engine.index(batch)
        engine.refresh()
        asked, found = batch.vectors[:50] + 0.01, 0
        for query in asked:
            found += len(nearest(batch, query, 10) & set(engine.query(query, 10).ids))
            if engine.capabilities.exact:
                assert set(engine.query(query, 10, exact=True).ids) == nearest(batch, query, 10)
        assert found >= 0.9 * 10 * len(asked)
    finally:
        engine.drop()


def test_an_index_that_the_server_has_not_is_refused(tmp_path: Path) -> None:
    engine = Milvus(tmp_path, Milvus.IndexParams(index_type="HNSW_SQ"))
    try:
        engine.create(SCHEMA)
    except EngineError as error:
        assert "CreateIndex: invalid index type: HNSW_SQ" in str(error)  # before 2.5
    engine.drop()


@pytest.mark.parametrize("level", LEVELS)
def test_after_refresh_every_level_of_consistency_sees_everything(
    tmp_path: Path, batch: Batch, level: str
) -> None:
    engine = made(tmp_path, index_type="FLAT")
    other = Milvus(tmp_path, Milvus.IndexParams(index_type="FLAT"))
    try:
        engine.index(batch)
        engine.refresh()
        other.open(SCHEMA)  # as another process would
        for client in (engine, other):
            client.configure(Milvus.SearchParams(consistency_level=level))
        for round_ in range(3):
            ids = np.arange(100 * round_, 100 * (round_ + 1))
            moved = np.arange(100 * round_ + 50, 100 * (round_ + 1))
            engine.delete(ids)
            engine.index(Batch(moved, batch.vectors[moved], {"group": np.full(50, 1000 + round_)}))
            engine.refresh()
            for client in (engine, other):
                assert set(client.query(batch.vectors[ids[0]], ROWS, None).ids) == (
                    set(range(ROWS))
                    - {id_ for r in range(round_ + 1) for id_ in range(100 * r, 100 * r + 50)}
                )
                assert set(client.query(batch.vectors[0], ROWS, Eq("group", 1000 + round_)).ids) == set(moved)
        other.close()
        assert engine.count() == ROWS - 150  # closing one leaves the other as it was
    finally:
        other.close()
        engine.drop()


@pytest.mark.parametrize("level", ["Strong", "Session"])
def test_the_writer_sees_its_writes_without_refresh(tmp_path: Path, batch: Batch, level: str) -> None:
    engine = made(tmp_path)
    try:
        engine.configure(Milvus.SearchParams(consistency_level=level))
        for row in range(5):
            engine.index(Batch(np.array([row]), batch.vectors[:1], {"group": np.array([1])}))
            assert row in engine.query(batch.vectors[0], 10).ids
            engine.delete(np.array([row]))
            assert row not in engine.query(batch.vectors[0], 10).ids
    finally:
        engine.drop()


def test_shards(tmp_path: Path, batch: Batch) -> None:
    engine = made(tmp_path, index_type="FLAT", shards_num=3)
    try:
        engine.index(batch)
        engine.refresh()
        assert engine.count() == ROWS
        query = batch.vectors[5]
        assert set(engine.query(query, 20, exact=True).ids) == nearest(batch, query, 20)
    finally:
        engine.drop()


def test_more_replicas_than_query_nodes_are_refused(tmp_path: Path) -> None:
    engine = Milvus(tmp_path, Milvus.IndexParams(replica_number=50))
    with pytest.raises(EngineError, match=r"LoadCollection: .*"):
        engine.create(SCHEMA)
    engine.drop()
