"""A service as an engine's: what it is started with, what is refused, and that it is never left behind."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from engines.base import Batch, EngineError, Field, Schema
from engines.columns import Keywords
from engines.filters import And, Eq, Range
from engines.http_service.adapter import HttpService
from engines.http_service.params import IndexParams

SCHEMA = Schema(4, "cosine", (Field("brand", "keyword"), Field("price", "integer")))
ROWS = 1500  # enough for the index to be rebuilt
FAISS = IndexParams(engine="faiss", index={"kind": "hnsw"}, search={"efSearch": 32})
ROOT = Path(__file__).parents[4]


def batch(ids: np.ndarray, seed: int = 1) -> Batch:
    vectors = np.random.default_rng(seed).standard_normal((len(ids), 4)).astype(np.float32)
    return Batch(ids, vectors, {"brand": Keywords.encode([f"b{id_ % 3}" for id_ in ids]), "price": ids % 10})


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpService]:
    with pytest.MonkeyPatch.context() as patch:
        # Meant for another service, which it would not start.
        patch.setenv("BAKEOFF_SERVICE_DEADLINE_MS", "none of ours")
        made = HttpService(tmp_path_factory.mktemp("größe 📦"), FAISS)
        made.create(SCHEMA)
    made.index(batch(np.arange(ROWS)))
    made.refresh()  # while the service rebuilds by itself, which it begins after so many writes
    yield made
    made.close()


def generation(engine: HttpService) -> str:
    return str(engine.stats().details["generation"])


def test_it_can_do_what_the_engine_behind_it_can(engine: HttpService) -> None:
    assert engine.capabilities.exact
    post = HttpService(Path(), IndexParams(engine="milvus-lite", index={"index_type": "HNSW"}))
    assert not post.capabilities.exact
    assert not post.capabilities.immediate


def test_after_many_writes_the_index_is_rebuilt_by_refresh_alone(engine: HttpService) -> None:
    before = generation(engine)
    assert not before.startswith("catalogue-000001")  # which had been filled row by row
    engine.index(batch(np.arange(10), seed=2))
    engine.refresh()
    assert generation(engine) == before


def test_conditions_that_exclude_each_other_find_nothing(engine: HttpService) -> None:
    vector = np.ones(4, np.float32)
    assert len(engine.query(vector, 5, Eq("brand", "b1")).ids) == 5
    for where in (And((Eq("brand", "b1"), Eq("brand", "b2"))), Range("price", gt=5, lt=3)):
        assert len(engine.query(vector, 5, where).ids) == 0
    with pytest.raises(EngineError, match="nested more than 20 levels"):
        deep = Eq("brand", "b1")
        for _ in range(30):
            deep = And((deep, Eq("brand", "b1")))  # type: ignore[assignment]
        engine.query(vector, 5, deep)


def test_a_vector_without_direction_is_refused(engine: HttpService) -> None:
    nowhere = Batch(np.array([9]), np.zeros((1, 4), np.float32), batch(np.array([9])).attributes)
    with pytest.raises(EngineError, match=r"1 of 1 writes failed, first id 9: .*vector: must be longer"):
        engine.index(nowhere)
    with pytest.raises(EngineError, match=r"HTTP 422: .*vector: must be longer"):
        engine.query(np.zeros(4, np.float32), 5)
    assert engine.count() == ROWS


def test_a_service_that_cannot_start_says_why(engine: HttpService) -> None:
    second = HttpService(engine._path, FAISS)
    with pytest.raises(EngineError, match=r"did not start: .*another process has the index there open"):
        second.open(SCHEMA)
    assert second._service is None
    assert engine.count() == ROWS


_OWNER = """
import sys
from pathlib import Path
from engines.base import Schema
from engines.http_service.adapter import HttpService
from engines.http_service.params import IndexParams
engine = HttpService(Path(sys.argv[1]), IndexParams())
engine.create(Schema(2, "l2"))
print("ready", flush=True)
sys.stdin.read()
"""


def test_it_ends_with_the_process_that_started_it_even_by_kill(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [sys.executable, "-c", _OWNER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    with owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == "ready\n"
        (service,) = psutil.Process(owner.pid).children()
        assert "harness.cli" in service.cmdline()
        owner.kill()
        owner.wait()
        _, alive = psutil.wait_procs([service], timeout=30)
    assert not alive
    again = HttpService(tmp_path, IndexParams())
    again.open(Schema(2, "l2"))
    (own,) = (one for one in psutil.Process().children() if str(tmp_path) in " ".join(one.cmdline()))
    again.close()
    assert not own.is_running()
