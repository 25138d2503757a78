"""What refresh() of a Qdrant server waits for, and what it reports."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("qdrant_client")

from qdrant_client import models

from engines.base import EngineError
from engines.qdrant.adapter import Qdrant
from engines.qdrant.params import IndexParams
from tests.servers.qdrant_collections import EarlyGreen
from tests.servers.qdrant_stand_in import StandIn
from tests.unit.engines.qdrant.contents import BATCH, SCHEMA


def test_refresh_waits_until_nothing_is_pending(engine: Qdrant, stand_in: StandIn) -> None:
    engine.create(SCHEMA)
    states = stand_in.collections.states
    queue = models.UpdateQueueInfo(length=3)
    green = {"update_queue": models.UpdateQueueInfo(length=0)}
    states += [
        {"status": models.CollectionStatus.YELLOW},
        {"update_queue": queue},
        {"update_queue": models.UpdateQueueInfo(length=0, deferred_points=1)},
        {"status": models.CollectionStatus.GREY},
        {"status": models.CollectionStatus.YELLOW},
        green | {"indexed_vectors_count": 3},
        green | {"indexed_vectors_count": 6},  # what is indexed still grows
        green | {"indexed_vectors_count": 6, "segments_count": 2},
        green | {"indexed_vectors_count": 6, "segments_count": 1},
        green | {"indexed_vectors_count": 6, "segments_count": 1},
    ]
    engine.refresh()
    assert not states
    told = [name for name in stand_in.collections.asked if name == "Update" or name.startswith("PATCH")]
    assert len(told) == 1  # grey is left by telling the optimizers, and only grey


def test_graphs_are_built_from_the_first_refresh_that_finds_points(engine: Qdrant, stand_in: StandIn) -> None:
    def threshold() -> int | None:
        config = stand_in.collections.created[engine._name].optimizers_config
        return None if config is None else config.indexing_threshold

    engine.create(SCHEMA)
    engine.refresh()
    assert threshold() == 0
    engine.index(BATCH)
    assert threshold() == 0  # nothing is built beside the load
    engine.refresh()
    assert threshold() == engine._params.indexing_threshold == 10_000
    changes = [name for name in stand_in.collections.asked if name == "Update" or name.startswith("PATCH")]
    engine.refresh()
    assert len(changes) == 1 == sum(name in ("Update", changes[0]) for name in stand_in.collections.asked)


@pytest.mark.parametrize(
    ("early", "busy", "told"),
    [(1, 3, "running"), (4, 0, "running"), (4, 0, "queued"), (1, 3, ""), (1, 0, "")],
    ids=["told", "never-yellow", "queued-never-yellow", "seen-by-the-second-look", "seen-by-what-is-indexed"],
)
def test_refresh_does_not_trust_the_first_green(
    engine: Qdrant, stand_in: StandIn, early: int, busy: int, told: str
) -> None:
    engine.create(SCHEMA)
    engine.index(BATCH)
    stand_in.collections.tells_optimizations = bool(told)
    race = stand_in.collections.early_green = EarlyGreen(early, busy, indexed=6, queued=told == "queued")
    engine.refresh()
    assert race.done
    assert engine.stats().details["indexed_vectors"] == 6


def test_a_closed_rest_port_is_no_hindrance_over_grpc(
    tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAKEOFF_QDRANT_URL", "http://127.0.0.1:9")
    with closing(Qdrant(tmp_path, IndexParams(prefer_grpc=True))) as engine:
        engine.create(SCHEMA)
        engine.index(BATCH)
        race = stand_in.collections.early_green = EarlyGreen(1, 2, indexed=6)
        engine.refresh()
        assert race.done


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        ({"status": models.CollectionStatus.RED}, "is red"),
        ({"optimizer_status": models.OptimizersStatusOneOf1(error="no space left")}, "no space left"),
    ],
)
def test_refresh_reports_what_the_server_could_not_do(
    engine: Qdrant, stand_in: StandIn, state: dict[str, Any], complaint: str
) -> None:
    engine.create(SCHEMA)
    stand_in.collections.states.append(state)
    with pytest.raises(EngineError, match=complaint):
        engine.refresh()
