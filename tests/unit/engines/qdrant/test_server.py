"""The Qdrant server engine against its stand-in: how it asks, whose a collection is, who may share it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("qdrant_client")

from qdrant_client import grpc as messages
from qdrant_client import models

from engines.abilities import Remote
from engines.base import Batch, EngineError
from engines.filters import Eq
from engines.qdrant.adapter import Qdrant
from engines.qdrant.params import IndexParams, SearchParams
from tests.servers.qdrant_stand_in import StandIn
from tests.unit.engines.qdrant.contents import BATCH, SCHEMA


def test_it_is_what_the_harness_expects(engine: Qdrant) -> None:
    assert isinstance(engine, Remote)
    engine.create(SCHEMA)
    engine.index(BATCH)
    engine.refresh()
    stats = engine.stats()
    assert (stats.vectors, stats.server, stats.retries, stats.disk_bytes) == (6, "Qdrant 1.20.0", 0, None)
    assert Qdrant.version().startswith("qdrant-client 1.")


def test_queries_go_over_rest_unless_grpc_is_preferred(tmp_path: Path, stand_in: StandIn) -> None:
    """By measurement: over REST a query costs the client a fraction (README.md)."""
    with closing(Qdrant(tmp_path, IndexParams())) as engine:
        engine.create(SCHEMA)
        engine.index(BATCH)
        stand_in.collections.asked.clear()
        engine.query(np.zeros(3, np.float32), 1)
        assert stand_in.collections.asked == [f"POST /collections/{engine._name}/points/query"]


@pytest.mark.parametrize("renamed", [False, True], ids=["its-name", "an-alias"])
def test_a_foreign_collection_is_never_dropped(engine: Qdrant, stand_in: StandIn, renamed: bool) -> None:
    """A name that leads to somebody else's collection; an alias is answered with the collection behind it."""
    foreign = models.CreateCollection(
        vectors=models.VectorParams(size=3, distance=models.Distance.DOT),
        metadata={"owner": "shop"} if renamed else None,
    )
    stand_in.collections.create(engine._name, foreign)
    for call in (lambda: engine.create(SCHEMA), engine.drop):
        with pytest.raises(EngineError, match=r"was not made by this harness; it is left as it is"):
            call()
    assert engine._name in stand_in.collections.created
    stand_in.collections.drop(engine._name)
    engine.create(SCHEMA)
    engine.create(SCHEMA)  # one that is ours is replaced
    engine.drop()
    assert not stand_in.collections.created


def test_engines_share_a_collection(engine: Qdrant, tmp_path: Path) -> None:
    engine.create(SCHEMA)
    engine.index(BATCH)
    other = Qdrant(tmp_path, engine._params)
    other.open(SCHEMA)
    assert other.count() == 6
    other.close()
    assert len(engine.query(np.zeros(3, np.float32), 9).ids) == 6
    engine.close()
    engine.drop()
    engine.drop()  # a second time, after close() too
    with pytest.raises(EngineError, match="does not exist"):
        other.open(SCHEMA)


def test_threads_share_an_engine(engine: Qdrant) -> None:
    engine.create(SCHEMA)
    engine.index(BATCH)

    def ask(row: int) -> list[int]:
        return list(engine.query(BATCH.vectors[0], 9, Eq("price", row % 6)).ids)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(60))) == [[row % 6] for row in range(60)]


def test_the_stand_in_is_strict(tmp_path: Path, stand_in: StandIn) -> None:
    with closing(Qdrant(tmp_path, IndexParams(prefer_grpc=True))) as engine:
        engine.create(SCHEMA)
        points: Any = engine._points
        with pytest.raises(EngineError, match=r"unknown fields: \['DenseVector.9'\]"):
            nearest = messages.VectorInput.FromString(b"\x12\x02\x48\x01")
            request = messages.QueryPoints(
                collection_name=engine._name, query=messages.Query(nearest=nearest)
            )
            points._heads = [request.SerializeToString() + points._nearest] * 2
            engine.query(np.zeros(3, np.float32), 1)
        engine.configure(SearchParams())
        engine._control.drop("bakeoff_other")
        with pytest.raises(EngineError, match="UNIMPLEMENTED"):
            engine._control._ask(engine._control._client.get_collections)
    with closing(Qdrant(tmp_path, IndexParams(prefer_grpc=False))) as engine:
        engine.create(SCHEMA)
        with pytest.raises(EngineError, match=r"is indexed as integer, got 1\.5"):
            engine.index(Batch(BATCH.ids, BATCH.vectors, {"price": np.full(6, 1.5)}))
