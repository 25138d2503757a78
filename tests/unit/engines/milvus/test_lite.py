"""What is Milvus Lite's own: parameters by type of index, and that they take effect."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError

from engines.base import Batch, EngineError, Schema

pytest.importorskip("pymilvus")

from engines.milvus.lite import MilvusLite
from engines.milvus.params import IndexParams, SearchParams

SCHEMA = Schema(8, "l2")


@pytest.mark.parametrize(
    ("index_type", "stray"),
    [("FLAT", {"M": 8}), ("IVF_FLAT", {"efConstruction": 50}), ("HNSW", {"nlist": 16})],
)
def test_parameters_of_another_type_are_refused(index_type: str, stray: dict[str, int]) -> None:
    (name,) = stray
    with pytest.raises(ValidationError, match=f"{name}: no parameter of index_type: {index_type}, remove it"):
        IndexParams.model_validate({"index_type": index_type, **stray})


def test_search_parameters_of_another_type_are_refused(tmp_path: Path) -> None:
    engine = MilvusLite(tmp_path, IndexParams())
    with pytest.raises(EngineError, match="milvus: nprobe goes with IVF_FLAT, IVF_SQ8, SCANN, not with HNSW"):
        engine.configure(SearchParams(nprobe=4))


def test_index_and_search_parameters_reach_the_index(tmp_path: Path) -> None:
    vectors = np.random.default_rng(0).standard_normal((700, 8), dtype=np.float32)
    engine = MilvusLite(
        tmp_path, IndexParams(index_type="IVF_FLAT", nlist=700)
    )  # each vector in a list of its own
    engine.create(SCHEMA)
    engine.index(Batch(np.arange(700), vectors))
    engine.refresh()
    for nprobe in (1, 5):
        engine.configure(SearchParams(nprobe=nprobe))
        assert len(engine.query(vectors[0], 10).ids) <= 2 * nprobe
    assert len(engine.query(vectors[0], 10, exact=True).ids) == 10
    engine.close()


def test_another_collection_on_the_same_port_is_not_taken_for_the_first(tmp_path: Path) -> None:
    engine = MilvusLite(tmp_path, IndexParams(index_type="FLAT"))
    names = set()
    for schema in (SCHEMA, Schema(3, "l2"), Schema(3, "ip")):
        engine.create(schema)
        names.add(engine._collection)
    engine.close()
    assert len(names) == 3


@pytest.mark.parametrize("index_type", ["HNSW_SQ", "IVF_SQ8"])
def test_quantized_indexes_find_most(tmp_path: Path, index_type: str) -> None:
    vectors = np.random.default_rng(0).standard_normal((500, 8), dtype=np.float32)
    build = {"nlist": 8} if index_type == "IVF_SQ8" else {}
    engine = MilvusLite(tmp_path, IndexParams.model_validate({"index_type": index_type, **build}))
    engine.create(SCHEMA)
    engine.index(Batch(np.arange(500), vectors))
    engine.refresh()
    assert not engine.capabilities.exact
    found = sum(int(engine.query(vectors[row], 1).ids[0]) == row for row in range(50))
    assert found >= 45
    engine.close()
