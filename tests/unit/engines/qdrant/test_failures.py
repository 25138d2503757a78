"""Requests to a Qdrant server that fail: repeated and counted, raised, or paused after."""

from __future__ import annotations

import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qdrant_client")

import grpc
from qdrant_client import grpc as messages

from engines.base import Batch, EngineError
from engines.qdrant import failures
from engines.qdrant.adapter import Qdrant
from engines.qdrant.params import IndexParams
from engines.server import pauses as pause_module
from tests.servers.qdrant_stand_in import Failure, StandIn, standing_in
from tests.servers.qdrant_stand_in_rest import RestFailure
from tests.unit.engines.qdrant.contents import BATCH, SCHEMA, fails

CODE = grpc.StatusCode


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
