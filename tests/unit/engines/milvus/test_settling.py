"""What refresh() of a Milvus server waits for, and what it gives up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engines.base import EngineError

pytest.importorskip("pymilvus")

from pymilvus.grpc_gen import common_pb2, milvus_pb2

from engines.milvus import settling
from engines.milvus.adapter import Milvus
from engines.milvus.params import ServerIndexParams
from tests.servers.fake_milvus import FakeMilvus
from tests.unit.engines.milvus.contents import SCHEMA, stores


def test_refresh_waits_for_flush_indexes_and_loading(engine: Milvus, server: FakeMilvus) -> None:
    pending, state = iter([5, 0, 0, 0, 3, 0, 0]), common_pb2.IndexState.Finished
    flushed, progress = iter([False, True]), iter([50, 100])
    server.answers["DescribeIndex"] = lambda _: milvus_pb2.DescribeIndexResponse(
        index_descriptions=[milvus_pb2.IndexDescription(state=state, pending_index_rows=next(pending))]
    )
    server.answers["GetFlushState"] = lambda _: milvus_pb2.GetFlushStateResponse(flushed=next(flushed))
    server.answers["GetLoadingProgress"] = lambda _: milvus_pb2.GetLoadingProgressResponse(
        progress=100, refresh_progress=next(progress)
    )
    server.answers["ManualCompaction"] = lambda _: milvus_pb2.ManualCompactionResponse(compactionID=7)
    server.asked.clear()
    engine.refresh()
    names = [name for name, _ in server.asked]
    assert names == [
        "Flush", *["GetFlushState"] * 2, *["DescribeIndex"] * 3, "DescribeCollection", "ManualCompaction",
        *["GetCompactionState"] * 2, *["DescribeIndex"] * 4, "LoadCollection", *["GetLoadingProgress"] * 2,
        *["GetPersistentSegmentInfo", "GetQuerySegmentInfo"] * 2, "Query",
    ]  # fmt: skip
    (loading,), (counting,) = server.requests("LoadCollection"), server.requests("Query")
    assert loading.refresh
    assert counting.consistency_level == common_pb2.ConsistencyLevel.Strong


def loaded(nodes: dict[int, list[int]], rows: int = 10) -> milvus_pb2.GetQuerySegmentInfoResponse:
    """nodes: segment -> the query nodes that have it."""
    infos = [{"segmentID": id_, "num_rows": rows, "nodeIds": on} for id_, on in nodes.items()]
    return milvus_pb2.GetQuerySegmentInfoResponse(infos=infos)


@pytest.mark.parametrize(
    ("replicas", "early"),
    [
        (1, []),
        (1, [loaded({1: [4], 2: [4]})] * 3),  # those that were merged into 3
        (1, [loaded({})]),
        (1, [loaded({3: [4]}, rows=9)]),
        (1, [loaded({3: [4]}), loaded({1: [4], 3: [4]})]),  # once is not enough
        (2, [loaded({3: [4]}), loaded({3: [4, 4]})]),
        (2, [loaded({1: [4], 3: [4, 5]})]),
    ],
)
def test_refresh_waits_until_what_is_stored_is_what_is_loaded(
    server: FakeMilvus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, replicas: int, early: list[Any]
) -> None:
    monkeypatch.setattr(settling, "_PAUSE_S", 0.001)
    monkeypatch.setattr(settling, "_STALE_S", 0.001)
    monkeypatch.setattr(settling, "_HANDOVER_S", 5.0)
    engine = Milvus(tmp_path, ServerIndexParams(replica_number=replicas))
    engine.create(SCHEMA)
    stores(server, {3: 10})
    answers = iter(early)
    settled = loaded({3: [4, 5, 6][: replicas + 1]})
    server.answers["GetQuerySegmentInfo"] = lambda _: next(answers, settled)
    server.asked.clear()
    engine.refresh()
    assert len(server.requests("GetQuerySegmentInfo")) == len(early) + 2
    wrong = len(early) - (early[:1] == [loaded({3: [4]})] and replicas == 1)
    assert [request.refresh for request in server.requests("LoadCollection")] == [True] * (1 + wrong)
    engine.close()


def test_what_is_never_loaded_is_given_up(
    engine: Milvus, server: FakeMilvus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "_PAUSE_S", 0.001)
    monkeypatch.setattr(settling, "_HANDOVER_S", 0.05)
    stores(server, {3: 10})
    server.answers["GetQuerySegmentInfo"] = lambda _: loaded({1: [4], 2: [4]}, rows=5)
    with pytest.raises(
        EngineError, match=r"nodes hold segments \[1, 2\] of bakeoff_[0-9a-f]+, stored are \[3\]"
    ):
        engine.refresh()


@pytest.mark.parametrize("status", [common_pb2.Status(code=503), common_pb2.Status(error_code=46)])
def test_settling_waits_for_what_is_handed_over_but_not_for_ever(
    engine: Milvus, server: FakeMilvus, monkeypatch: pytest.MonkeyPatch, status: Any
) -> None:
    monkeypatch.setattr(settling, "_PAUSE_S", 0.001)
    usual = {"fields_data": [{"scalars": {"long_data": {"data": [0]}}}]}
    answers = iter([{"status": status}] * 2)
    server.answers["Query"] = lambda _: milvus_pb2.QueryResults(**next(answers, usual))
    engine.refresh()
    assert engine._open.retries == 2
    server.answers["Query"] = lambda _: milvus_pb2.QueryResults(status=status)
    monkeypatch.setattr(settling, "_HANDOVER_S", 0.5)
    with pytest.raises(EngineError, match=r"Query: .*\(code (503|46)\)"):
        engine.refresh()


def test_an_index_that_fails_is_reported(engine: Milvus, server: FakeMilvus) -> None:
    failed = milvus_pb2.IndexDescription(
        state=common_pb2.IndexState.Failed, field_name="vector", index_state_fail_reason="no space left"
    )
    server.answers["DescribeIndex"] = lambda _: milvus_pb2.DescribeIndexResponse(index_descriptions=[failed])
    with pytest.raises(EngineError, match="indexing vector failed: no space left"):
        engine.refresh()


def test_an_index_that_is_never_built_is_given_up(
    engine: Milvus, server: FakeMilvus, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "_STALLED_S", 0.05)
    pending = iter([9, 7])
    server.answers["DescribeIndex"] = lambda _: milvus_pb2.DescribeIndexResponse(
        index_descriptions=[
            milvus_pb2.IndexDescription(
                state=common_pb2.IndexState.Finished, pending_index_rows=next(pending, 5)
            )
        ]
    )
    with pytest.raises(EngineError, match=r"no row of bakeoff_[0-9a-f]+ was indexed for 0 s, 5 are left"):
        engine.refresh()


def test_a_compaction_that_is_given_up_is_tried_again(engine: Milvus, server: FakeMilvus) -> None:
    server.answers["ManualCompaction"] = lambda _: milvus_pb2.ManualCompactionResponse(compactionID=7)
    server.answers["GetCompactionState"] = lambda _: milvus_pb2.GetCompactionStateResponse(
        state=common_pb2.CompactionState.Completed, failedPlanNo=1
    )
    with pytest.raises(EngineError, match=r"compacting bakeoff_.* failed 3 times"):
        engine.refresh()
