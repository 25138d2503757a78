"""The Qdrant server engine against its stand-in: failures in the middle, retries, waiting, threads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("qdrant_client")

import grpc
from qdrant_client import grpc as messages
from qdrant_client import models

from engines.abilities import Remote
from engines.base import Batch, EngineError, Field, Schema
from engines.filters import Eq
from engines.qdrant import failures
from engines.qdrant.adapter import Qdrant
from engines.qdrant.params import IndexParams, SearchParams
from engines.server import pauses as pause_module
from tests.servers.qdrant_collections import EarlyGreen
from tests.servers.qdrant_stand_in import Failure, StandIn, standing_in
from tests.servers.qdrant_stand_in_rest import RestFailure

SCHEMA = Schema(3, "l2", (Field("price", "integer"),))
BATCH = Batch(np.arange(6), np.eye(6, 3, dtype=np.float32), {"price": np.arange(6)})
CODE = grpc.StatusCode


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    with standing_in() as servers:
        for name, value in servers.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(failures, "_PAUSES_S", (0.0, 0.0, 0.0))
        yield servers


@pytest.fixture(params=[True, False], ids=["grpc", "rest"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, stand_in: StandIn) -> Iterator[Qdrant]:
    made = Qdrant(tmp_path, IndexParams(prefer_grpc=request.param, batch_size=2))
    yield made
    made.close()


def over_grpc(engine: Qdrant) -> bool:
    return engine._params.prefer_grpc


def fails(stand_in: StandIn, engine: Qdrant, method: str, code: Any, status: int, *, times: int = 1) -> None:
    """The next writes or queries fail."""
    path = {"Upsert": "/points", "Delete": "/points/delete", "Query": "/points/query"}[method]
    failure = Failure(method, code) if over_grpc(engine) else RestFailure(path, status)
    stand_in.failures.extend([failure] * times)


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


@pytest.mark.parametrize(("code", "status"), [(CODE.UNAVAILABLE, 503), (CODE.RESOURCE_EXHAUSTED, 429)])
def test_writes_are_repeated_and_counted(
    engine: Qdrant, stand_in: StandIn, code: grpc.StatusCode, status: int
) -> None:
    engine.create(SCHEMA)
    fails(stand_in, engine, "Upsert", code, status, times=2)
    engine.index(BATCH)
    fails(stand_in, engine, "Delete", code, status)
    engine.delete(np.array([0, 4]))
    assert engine.count() == 4
    assert engine.stats().retries == 3


def test_writes_are_given_up_after_three_repetitions(engine: Qdrant, stand_in: StandIn) -> None:
    engine.create(SCHEMA)
    fails(stand_in, engine, "Delete", CODE.UNAVAILABLE, 503, times=4)
    with pytest.raises(EngineError, match=r"UNAVAILABLE: injected|503: injected"):
        engine.delete(np.array([1]))
    assert engine.stats().retries == 3
    assert not stand_in.failures


@pytest.mark.parametrize("engine", [False], indirect=True)  # gRPC reports it as UNAVAILABLE
def test_a_dropped_connection_is_opened_again(engine: Qdrant, stand_in: StandIn) -> None:
    engine.create(SCHEMA)
    stand_in.failures.extend([RestFailure("/points", 0)] * 2)
    engine.index(Batch(BATCH.ids[:2], BATCH.vectors[:2], {"price": BATCH.ids[:2]}))
    assert engine.count() == 2
    assert engine.stats().retries > 0


@pytest.mark.parametrize(
    ("code", "status"),
    [(CODE.INVALID_ARGUMENT, 400), (CODE.INTERNAL, 500), (CODE.DEADLINE_EXCEEDED, 408)],
)
def test_other_failures_of_writes_are_raised_at_once(
    engine: Qdrant, stand_in: StandIn, code: grpc.StatusCode, status: int
) -> None:
    engine.create(SCHEMA)
    fails(stand_in, engine, "Upsert", code, status)
    with pytest.raises(EngineError, match=f"{code.name}: injected|{status}: injected"):
        engine.index(BATCH)
    assert engine.stats().retries == 0


def test_nothing_is_written_any_more_once_loading_has_failed(engine: Qdrant, stand_in: StandIn) -> None:
    engine.create(SCHEMA)
    fails(stand_in, engine, "Upsert", CODE.INTERNAL, 500)
    with pytest.raises(EngineError, match="injected"):
        engine.index(BATCH)
    served = len(stand_in.collections.asked)
    time.sleep(0.05)
    assert len(stand_in.collections.asked) == served


def test_failures_of_queries_are_raised_inside_the_query(engine: Qdrant, stand_in: StandIn) -> None:
    engine.create(SCHEMA)
    engine.index(BATCH)
    for code, status in (
        (CODE.UNAVAILABLE, 503),
        (CODE.DEADLINE_EXCEEDED, 408),
        (CODE.RESOURCE_EXHAUSTED, 429),
    ):
        fails(stand_in, engine, "Query", code, status)
        with pytest.raises(EngineError, match=f"{code.name}: injected|{status}: injected"):
            engine.query(np.zeros(3, np.float32), 2)
        assert len(engine.query(np.zeros(3, np.float32), 2).ids) == 2
    assert engine.stats().retries == 0


def test_a_server_may_ask_to_wait(tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(failures.time, "sleep", waited.append)
    engine = Qdrant(tmp_path, IndexParams(prefer_grpc=True))
    engine.create(SCHEMA)
    stand_in.failures.append(Failure("Upsert", CODE.RESOURCE_EXHAUSTED, "slow", (("retry-after", "7"),)))
    engine.index(BATCH)
    assert waited == [7.0]
    stand_in.failures.append(Failure("Upsert", CODE.RESOURCE_EXHAUSTED, "slow", (("retry-after", "3600"),)))
    with pytest.raises(EngineError, match="slow"):
        engine.index(BATCH)
    assert waited == [7.0]
    engine.close()


def test_writes_that_are_not_completed_are_refused(tmp_path: Path, stand_in: StandIn) -> None:
    with closing(Qdrant(tmp_path, IndexParams(prefer_grpc=True))) as engine:
        engine.create(SCHEMA)
        stand_in.write_status = messages.UpdateStatus.WaitTimeout
        with pytest.raises(EngineError, match="a write was not completed, its status is WaitTimeout"):
            engine.index(BATCH)


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


def test_a_server_that_dies(engine: Qdrant, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    with standing_in() as dying:
        for name, value in dying.environ.items():
            monkeypatch.setenv(name, value)
        engine.create(SCHEMA)
        engine.index(BATCH)
    with pytest.raises(EngineError, match="is the server"):
        engine.query(np.zeros(3, np.float32), 1)
    with pytest.raises(EngineError, match="is the server"):
        engine.index(BATCH)
    with pytest.raises(EngineError, match="is the server"):
        engine.refresh()


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


def test_asking_a_server_that_is_gone_pauses_each_time(
    engine: Qdrant, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a window of load would hold tens of thousands of failures."""
    pauses: list[float] = []
    with standing_in() as dying:
        for name, value in dying.environ.items():
            monkeypatch.setenv(name, value)
        engine.create(SCHEMA)
        engine.index(BATCH)
        engine.query(np.zeros(3, np.float32), 1)
    monkeypatch.setattr(pause_module.time, "sleep", pauses.append)
    for _ in range(5):
        with pytest.raises(EngineError, match="is the server"):
            engine.query(np.zeros(3, np.float32), 1)
    # The first may be told of the broken connection instead of being refused one.
    assert pauses.count(pause_module.AFTER_LOSS_S) >= 4
