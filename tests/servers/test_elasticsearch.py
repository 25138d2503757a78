"""What only a real Elasticsearch shows beside the conformance suite: its kinds of index, its limits, its segments."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Batch, EngineError, Field, Schema
from engines.columns import Keywords
from engines.filters import Eq, In
from tests.servers.launch import Servers, UnavailableError

pytest.importorskip("elasticsearch")

from engines.elasticsearch.adapter import Elasticsearch

ROWS, DIM = 4000, 64  # bbq takes no fewer dimensions
SCHEMA = Schema(DIM, "l2", (Field("brand", "keyword"), Field("group", "integer")))


@pytest.fixture(scope="module", autouse=True)
def server(request: pytest.FixtureRequest) -> Iterator[None]:
    servers = Servers()
    try:
        servers.require("elasticsearch")
    except UnavailableError as error:
        if "elasticsearch" in request.config.getoption("--require-engine"):
            pytest.fail(str(error))
        pytest.skip(str(error))
    yield
    servers.close()


@pytest.fixture(scope="module")
def batch() -> Batch:
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((40, DIM))
    vectors = centres[np.arange(ROWS) % 40] + 0.4 * rng.standard_normal((ROWS, DIM))
    columns = {"brand": Keywords.encode(["Zara"] * ROWS), "group": np.arange(ROWS) % 7}
    return Batch(np.arange(ROWS), vectors.astype(np.float32), columns)


def made(path: Path, schema: Schema = SCHEMA, **index: Any) -> Elasticsearch:
    engine = Elasticsearch(path, Elasticsearch.IndexParams(**index))
    engine.create(schema)
    return engine


def one(id_: int = 0, brand: str = "Zara") -> Batch:
    columns = {"brand": Keywords.encode([brand]), "group": np.array([1])}
    return Batch(np.array([id_]), np.ones((1, DIM), dtype=np.float32), columns)


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
@pytest.mark.parametrize(
    ("kind", "floor"),
    [
        ("hnsw", 0.95),
        ("int8_hnsw", 0.95),
        ("int4_hnsw", 0.85),
        ("bbq_hnsw", 0.8),
        ("flat", 1.0),
        ("int8_flat", 0.95),
        ("int4_flat", 0.85),
        ("bbq_flat", 0.8),
    ],
)
def test_kinds_of_index(tmp_path: Path, batch: Batch, kind: str, floor: float, metric: Any) -> None:
    engine = made(tmp_path, Schema(DIM, metric, SCHEMA.fields), type=kind)
    try:
        engine.index(batch)
        engine.refresh()
        assert engine.stats().details["segments"] == 1
        engine.configure(Elasticsearch.SearchParams(num_candidates=200))
        found = 0
        for query in batch.vectors[:20] + np.float32(0.1):
            hits = engine.query(query, 10, Eq("group", 3))
            truth, ids = distances(batch, query, metric), np.array(hits.ids)
            assert (ids % 7 == 3).all()
            nearest = [row for row in np.argsort(truth) if row % 7 == 3][:10]
            found += len(set(nearest) & set(ids.tolist()))
            # Rescored, so the scores are those of the vectors themselves.
            sign = 1 if metric == "l2" else -1
            np.testing.assert_allclose(np.array(hits.scores), sign * truth[ids], rtol=1e-4, atol=1e-5)
        assert found / 200 >= floor
    finally:
        engine.drop()


def distances(batch: Batch, query: np.ndarray, metric: str) -> np.ndarray:
    vectors = batch.vectors.astype(np.float64)
    if metric == "l2":
        return ((vectors - query) ** 2).sum(axis=1)
    products = vectors @ query
    lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(query)
    return -products / lengths if metric == "cosine" else -products


def test_without_rescoring_scores_are_those_of_short_codes(tmp_path: Path, batch: Batch) -> None:
    engine = made(tmp_path, type="int4_flat")
    try:
        engine.index(batch)
        engine.refresh()
        query = batch.vectors[0] + np.float32(0.1)
        exact = np.array(engine.query(query, 10).scores)
        engine.configure(Elasticsearch.SearchParams(oversample=0))
        short = np.array(engine.query(query, 10).scores)
        assert np.abs(short / exact - 1).max() > 1e-3
    finally:
        engine.drop()


@pytest.mark.parametrize("heuristic", ["acorn", "fanout"])
def test_filtering_heuristics(tmp_path: Path, batch: Batch, heuristic: str) -> None:
    engine = made(tmp_path, hnsw_filter_heuristic=heuristic)
    try:
        engine.index(batch)
        engine.refresh()
        assert len(engine.query(batch.vectors[0], 10, Eq("group", 3)).ids) == 10
    finally:
        engine.drop()


def test_after_loading_writes_are_seen_without_a_refresh(tmp_path: Path) -> None:
    engine = made(tmp_path, refresh_interval="200ms")
    try:
        engine.index(one(0))
        engine.refresh()
        engine.index(one(1))
        deadline = time.monotonic() + 10
        while len(engine.query(np.ones(DIM, np.float32), 5).ids) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        engine.drop()


def test_loading_shows_nothing_until_the_refresh(tmp_path: Path, batch: Batch) -> None:
    engine = made(tmp_path, force_merge=False)
    try:
        engine.index(batch)
        time.sleep(1.5)  # longer than Elasticsearch's own interval
        assert engine.count() == 0
        engine.refresh()
        assert engine.count() == ROWS
    finally:
        engine.drop()


def test_several_hold_one_index_and_none_disturbs_the_others(tmp_path: Path) -> None:
    first = made(tmp_path)
    second = Elasticsearch(tmp_path, Elasticsearch.IndexParams())
    try:
        first.index(one(5))
        first.refresh()
        second.open(SCHEMA)
        second.index(one(6))
        second.refresh()
        assert first.count() == 2
        second.close()
        assert len(first.query(np.ones(DIM, np.float32), 5).ids) == 2
    finally:
        first.close()
        first.drop()
    with pytest.raises(EngineError, match=r"no index .* any more"):
        second.open(SCHEMA)


def test_a_text_too_long_for_a_term_is_refused(tmp_path: Path) -> None:
    engine = made(tmp_path)
    try:
        engine.index(one(0, "é" * 16_383))  # 32,766 bytes
        with pytest.raises(EngineError, match="at most 32766 bytes of UTF-8"):
            engine.index(one(1, "é" * 16_384))
        engine.refresh()
        assert list(engine.query(np.ones(DIM, np.float32), 5, Eq("brand", "é" * 16_383)).ids) == [0]
        assert len(engine.query(np.ones(DIM, np.float32), 5, Eq("brand", "é" * 16_384)).ids) == 0
    finally:
        engine.drop()


def test_vectors_with_nan_are_refused(tmp_path: Path) -> None:
    engine, broken = made(tmp_path), one()
    broken.vectors[0, 3] = np.nan
    try:
        with pytest.raises(EngineError, match="the vector of item 0 holds NaN or an infinite number"):
            engine.index(broken)
        with pytest.raises(EngineError, match="NaN or an infinite number"):
            engine.query(broken.vectors[0], 5)
    finally:
        engine.drop()


def test_what_the_server_will_not_do_is_told(tmp_path: Path, batch: Batch) -> None:
    engine = made(tmp_path)
    try:
        engine.index(batch)
        engine.refresh()
        with pytest.raises(EngineError, match=r"HTTP 400: .*num_candidates.*10000"):
            engine.query(batch.vectors[0], 10_001)
        with pytest.raises(EngineError, match=r"HTTP 400: .*65536"):
            engine.query(batch.vectors[0], 5, In("group", tuple(range(70_000))))
        assert len(engine.query(batch.vectors[0], 1000).ids) == 1000
    finally:
        engine.drop()
