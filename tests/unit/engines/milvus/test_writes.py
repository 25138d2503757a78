"""Writes to a Milvus server: inserted or replaced, refused, failed, and seen afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Batch, EngineError, Schema

pytest.importorskip("pymilvus")

import grpc
from pymilvus.grpc_gen import common_pb2, milvus_pb2

from engines.milvus import connection
from engines.milvus.adapter import Milvus
from engines.milvus.params import ServerIndexParams, ServerSearchParams
from tests.servers.fake_milvus import FakeMilvus
from tests.unit.engines.milvus.contents import batch


def test_ids_above_all_others_are_inserted_until_the_first_refresh(
    engine: Milvus, server: FakeMilvus
) -> None:
    engine.index(batch(10))
    engine.index(batch(10, first=10))
    engine.index(batch(10, first=15))
    assert [name for name, _ in server.asked if name in ("Insert", "Upsert")] == [
        "Insert",
        "Insert",
        "Upsert",
    ]
    engine.refresh()
    engine.index(batch(10, first=100))
    assert len(server.requests("Upsert")) == 2


def test_a_refusal_for_the_rate_is_sent_again_and_counted(
    engine: Milvus, server: FakeMilvus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_PAUSE_S", 0.001)
    refusals = iter([common_pb2.Status(code=8), common_pb2.Status(error_code="RateLimit")])

    def answer(request: Any) -> Any:
        status = next(refusals, None)
        return milvus_pb2.MutationResult(insert_cnt=0 if status else request.num_rows, status=status)

    server.answers["Insert"] = answer
    engine.index(batch(10))
    assert len(server.requests("Insert")) == 3
    assert engine._open.retries == 2


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            milvus_pb2.MutationResult(status=common_pb2.Status(code=9, reason="memory is\nshort")),
            r"milvus at http://127.0.0.1:\d+: Insert: memory is short \(code 9\)",
        ),
        (milvus_pb2.MutationResult(insert_cnt=1), "milvus: 1 of 3 items of a request were written"),
        (
            (grpc.StatusCode.UNAVAILABLE, "going down"),
            "Insert: UNAVAILABLE: going down; is the server running",
        ),
    ],
)
def test_what_is_not_written_is_said(engine: Milvus, server: FakeMilvus, answer: Any, message: str) -> None:
    server.answers["Insert"] = lambda _: answer
    with pytest.raises(EngineError, match=message):
        engine.index(batch(3))


def test_an_error_in_any_request_in_flight_is_reported(server: FakeMilvus, tmp_path: Path) -> None:
    engine = Milvus(tmp_path, ServerIndexParams(request_bytes=1 << 16, in_flight=4))
    engine.create(Schema(1024, "l2"))

    def answer(request: Any) -> Any:
        last = 99 in request.fields_data[0].scalars.long_data.data
        return milvus_pb2.MutationResult(
            insert_cnt=request.num_rows, status=common_pb2.Status(code=65535 if last else 0)
        )

    server.answers["Insert"] = answer
    with pytest.raises(EngineError, match="Insert: no reason was given"):
        engine.index(Batch(np.arange(100), np.ones((100, 1024), np.float32)))
    assert len(server.requests("Insert")) == 7
    engine.close()


def test_deletes_without_a_timestamp_are_seen_too(engine: Milvus, server: FakeMilvus) -> None:
    server.answers["Delete"] = lambda _: milvus_pb2.MutationResult()
    server.answers["AllocTimestamp"] = lambda _: milvus_pb2.AllocTimestampResponse(timestamp=500)
    engine.configure(ServerSearchParams(consistency_level="Session"))
    engine.delete(np.arange(10_000))
    assert len(server.requests("Delete")) == 2
    engine.query(np.ones(4, np.float32), 3)
    assert server.requests("Search")[0].guarantee_timestamp == 500
