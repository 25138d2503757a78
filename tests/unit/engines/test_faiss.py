"""What is FAISS' own: parameters by kind, ways of filtering, threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from engines.base import Batch, EngineError, Field, Schema
from engines.filters import Range

faiss = pytest.importorskip("faiss")

from engines.faiss.adapter import Faiss  # noqa: E402 - after importorskip
from engines.faiss.params import IndexParams, SearchParams  # noqa: E402

ROWS, DIM = 3000, 16
SCHEMA = Schema(DIM, "l2", (Field("price", "integer"),))
VECTORS = np.random.default_rng(0).standard_normal((ROWS, DIM), dtype=np.float32)
SELECTIVE = Range("price", lt=30)  # 1 %


@pytest.fixture
def hnsw(tmp_path: Path) -> Iterator[Faiss]:
    engine = Faiss(tmp_path, IndexParams())
    engine.create(SCHEMA)
    engine.index(Batch(np.arange(ROWS), VECTORS, {"price": np.arange(ROWS)[::-1].copy()}))
    yield engine
    engine.close()


@pytest.mark.parametrize(
    ("kind", "stray"), [("flat", {"M": 8}), ("ivf", {"efConstruction": 50}), ("hnsw", {"nlist": 16})]
)
def test_parameters_of_another_kind_are_refused(kind: str, stray: dict[str, int]) -> None:
    (name,) = stray
    with pytest.raises(ValidationError, match=f"{name}: not a parameter of kind: {kind}, remove it"):
        IndexParams(kind=kind, **stray)


def test_search_parameters_of_another_kind_are_refused(hnsw: Faiss) -> None:
    with pytest.raises(EngineError, match="nprobe goes with kind: ivf, this index is hnsw"):
        hnsw.configure(SearchParams(nprobe=4))


def test_parameters_reach_the_index(hnsw: Faiss, tmp_path: Path) -> None:
    few, many = [nearest_found(hnsw, ef) for ef in (1, 200)]
    assert few < many == 50
    ivf = Faiss(tmp_path / "ivf", IndexParams(kind="ivf", nlist=8))
    (tmp_path / "ivf").mkdir()
    ivf.create(SCHEMA)
    ivf.index(Batch(np.arange(ROWS), VECTORS, {"price": np.arange(ROWS)}))
    ivf.refresh()
    assert ivf.stats().details["nlist"] == 8
    ivf.close()


def nearest_found(engine: Faiss, ef: int) -> int:
    """For how many of 50 queries the nearest item is the first hit. k is 1, for ef is at least k."""
    engine.configure(SearchParams(efSearch=ef))
    queries = np.random.default_rng(1).standard_normal((50, DIM), dtype=np.float32)
    nearest = [int(np.argmin(((VECTORS - query) ** 2).sum(axis=1))) for query in queries]
    return sum(int(engine.query(query, 1).ids[0]) == id_ for query, id_ in zip(queries, nearest, strict=True))


def test_ways_of_filtering_differ_in_what_they_find(hnsw: Faiss) -> None:
    query = np.zeros(DIM, np.float32)

    def found(**search: object) -> int:
        hnsw.configure(SearchParams.model_validate(search))
        hits = hnsw.query(query, 10, SELECTIVE)
        assert all(id_ >= ROWS - 30 for id_ in hits.ids)
        return len(hits.ids)

    assert found() == 10
    assert found(full_scan_threshold=0) < 10
    assert found(filtering="post") < found(filtering="post", fetch_factor=ROWS) <= 10
    assert len(hnsw.query(query, 10, SELECTIVE, exact=True).ids) == 10


def test_an_ivf_index_is_trained_by_the_first_refresh(tmp_path: Path) -> None:
    engine = Faiss(tmp_path, IndexParams(kind="ivf", nlist=16))
    engine.create(SCHEMA)
    engine.configure(SearchParams(nprobe=16))
    engine.index(Batch(np.arange(ROWS), VECTORS, {"price": np.arange(ROWS)}))
    assert engine.count() == ROWS
    with pytest.raises(EngineError, match="refresh"):
        engine.query(VECTORS[0], 1)
    engine.refresh()
    assert engine.query(VECTORS[7], 1).ids[0] == 7
    engine.close()


def test_a_fresh_hnsw_index_keeps_nothing_on_disk_until_closed(hnsw: Faiss) -> None:
    assert hnsw.stats().disk_bytes is None
    hnsw.close()
    again = Faiss(hnsw._path, IndexParams())
    again.open(SCHEMA)
    assert (again.stats().disk_bytes or 0) > VECTORS.nbytes
    again.close()


def test_a_query_uses_one_thread_and_leaves_other_threads_alone(tmp_path: Path) -> None:
    flat = Faiss(tmp_path, IndexParams(kind="flat"))
    flat.create(SCHEMA)
    rows = 40_000
    vectors = np.random.default_rng(0).standard_normal((rows, DIM), dtype=np.float32)
    flat.index(Batch(np.arange(rows), vectors, {"price": np.arange(rows)}))
    flat.query(vectors[0], 10)
    shares = []
    for _ in range(5):  # threads that earlier tests left may be at work in some
        spent, busy = time.thread_time_ns(), time.process_time_ns()
        for vector in vectors[:100]:
            flat.query(vector, 10)
        spent, busy = time.thread_time_ns() - spent, time.process_time_ns() - busy
        shares.append(busy / spent)
    assert min(shares) < 1.5  # all cores at work would take the process twice the thread's own time
    seen: list[int] = []
    other = threading.Thread(target=lambda: seen.append(faiss.omp_get_max_threads()))
    other.start()
    other.join()
    assert faiss.omp_get_max_threads() == 1
    assert seen == [flat._cores]
    flat.close()


def quantized(folder: Path, vectors: np.ndarray, **search: object) -> Faiss:
    """A graph on bytes; its dimension is no multiple of 8."""
    folder.mkdir()
    engine = Faiss(folder, IndexParams(quantization="scalar"))
    engine.create(Schema(vectors.shape[1], "cosine"))
    engine.index(Batch(np.arange(len(vectors)), vectors))
    engine.refresh()
    engine.configure(SearchParams.model_validate({"efSearch": 400} | search))
    return engine


def test_more_candidates_make_up_for_bytes(tmp_path: Path) -> None:
    unit = VECTORS[:, :14] / np.linalg.norm(VECTORS[:, :14], axis=1, keepdims=True)
    nearest = np.argsort(-(unit[:100] @ unit.T), axis=1)[:, :10].tolist()

    def found(name: str, **search: object) -> float:
        """How many of the ten nearest, on average; the scores are those of float32, and so is the exact mode."""
        engine = quantized(tmp_path / name, VECTORS[:, :14], **search)
        counts = []
        for query, best in enumerate(nearest):
            hits = engine.query(unit[query], 10)
            np.testing.assert_allclose(hits.scores, unit[np.asarray(hits.ids)] @ unit[query], atol=1e-6)
            assert {*engine.query(unit[query], 10, exact=True).ids} == {*best}
            counts.append(len({*hits.ids} & {*best}))
        engine.close()
        return float(np.mean(counts))

    few, many = found("few"), found("many", oversampling=4)
    assert few < 9.9 < many


def test_what_comes_later_may_lie_beyond_the_range_of_the_bytes(tmp_path: Path) -> None:
    engine = quantized(tmp_path / "made", VECTORS[:200, :14] * [1, *[0.01] * 13], oversampling=3)
    engine.index(Batch(np.array([900]), np.ones((1, 14), np.float32)))
    assert engine.query(np.ones(14, np.float32), 1).ids[0] == 900
    engine.close()


@pytest.mark.parametrize("kind", ["flat", "ivf"])
def test_bytes_go_with_a_graph(kind: str) -> None:
    with pytest.raises(ValidationError, match=f"quantization: not a parameter of kind: {kind}, remove it"):
        IndexParams.model_validate({"kind": kind, "quantization": "scalar"})


def test_oversampling_goes_with_bytes(hnsw: Faiss) -> None:
    with pytest.raises(EngineError, match="oversampling goes with quantization: scalar, this index has none"):
        hnsw.configure(SearchParams(oversampling=2))
