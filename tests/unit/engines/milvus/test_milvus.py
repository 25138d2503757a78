"""The own of the adapter to a Milvus server: messages, parameters, and a server that refuses or is not there."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from select import select
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from engines.base import Batch, EngineError, Field, Keywords, Schema, UnsupportedError
from engines.filters import And, Eq, In, Not, Range

pytest.importorskip("pymilvus")

import grpc
from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from engines.milvus import connection, messages, settling
from engines.milvus.adapter import Milvus
from engines.milvus.filters import Expressions
from engines.milvus.params import ServerIndexParams, ServerSearchParams, for_type
from tests.servers.fake_milvus import FakeMilvus

SCHEMA = Schema(
    4,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("size", "float"), Field("new", "boolean")),
)


def batch(rows: int, first: int = 0, word: str = "x") -> Batch:
    return Batch(
        np.arange(first, first + rows),
        np.arange(4 * rows, dtype=np.float32).reshape(rows, 4),
        {
            "brand": Keywords.encode([word] * rows),
            "price": np.full(rows, -1, dtype=np.int64),
            "size": np.full(rows, 0.5),
            "new": np.ones(rows, dtype=np.bool_),
        },
    )


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeMilvus]:
    with FakeMilvus().listening() as fake:
        monkeypatch.setenv("BAKEOFF_MILVUS_URL", fake.url)
        for name in ("USER", "PASSWORD", "API_KEY"):
            monkeypatch.delenv(f"BAKEOFF_MILVUS_{name}", raising=False)
        yield fake


@pytest.fixture
def engine(server: FakeMilvus, tmp_path: Path) -> Iterator[Milvus]:
    engine = Milvus(tmp_path, ServerIndexParams())
    engine.create(SCHEMA)
    yield engine
    engine.close()


# -- filters and messages


@pytest.mark.parametrize(
    ("where", "text"),
    [
        (Eq("brand", 'a"\\\n'), 'f0 == "a\\"\\\\\\n"'),
        (In("brand", ("a", "b")), 'f0 in ["a", "b"]'),
        (Eq("price", -(2**63)), "f1 < -9223372036854775807"),
        (In("price", (-(2**63), 7)), "f1 == 7 or f1 < -9223372036854775807"),
        (Range("price", gte=-(2**63), lte=-(2**63)), "f1 < -9223372036854775807"),
        (Range("price", gt=1, lte=5), "f1 >= 2 and f1 < 6"),
        (Range("size", gt=0.1, lte=1e22), "f2 > 0.1 and f2 <= 1e+22"),
        (Not(And((Eq("new", True), Eq("size", 1)))), "not ((f3 == true) and (f2 == 1.0))"),
    ],
)
def test_filters_become_expressions(where: Any, text: str) -> None:
    assert Expressions(SCHEMA).translate(where) == text


def test_rows_are_written_as_the_client_would() -> None:
    rows = 300
    column = np.random.default_rng(0).integers(-(2**63), 2**63 - 1, rows, dtype=np.int64)
    given = batch(rows)
    given = Batch(given.ids, given.vectors, {**given.attributes, "price": column})
    (request,) = messages.writes(milvus_pb2.InsertRequest, "c", SCHEMA, given, 1 << 20)
    expected = milvus_pb2.InsertRequest(
        collection_name="c",
        num_rows=rows,
        fields_data=[
            schema_pb2.FieldData(type=5, field_name="id", scalars={"long_data": {"data": range(rows)}}),
            schema_pb2.FieldData(
                type=101,
                field_name="vector",
                vectors={"dim": 4, "float_vector": {"data": given.vectors.reshape(-1).tolist()}},
            ),
            schema_pb2.FieldData(type=21, field_name="f0", scalars={"string_data": {"data": ["x"] * rows}}),
            schema_pb2.FieldData(type=5, field_name="f1", scalars={"long_data": {"data": column.tolist()}}),
            schema_pb2.FieldData(type=11, field_name="f2", scalars={"double_data": {"data": [0.5] * rows}}),
            schema_pb2.FieldData(type=1, field_name="f3", scalars={"bool_data": {"data": [True] * rows}}),
        ],
    )
    assert request == expected


def test_requests_are_bounded_by_bytes_whatever_the_strings() -> None:
    sizes = [
        (request.num_rows, request.ByteSize())
        for request in messages.writes(
            milvus_pb2.UpsertRequest, "c", SCHEMA, batch(50, word="é" * 3000), 1 << 16
        )
    ]
    assert sum(rows for rows, _ in sizes) == 50
    assert len(sizes) == 5
    assert all(size < 1 << 16 for _, size in sizes)
    # A row that is too large for one request goes alone, and the server says what it thinks of it.
    alone = messages.writes(milvus_pb2.UpsertRequest, "c", SCHEMA, batch(3, word="x" * 70_000), 1 << 16)
    assert [request.num_rows for request in alone] == [1, 1, 1]


@pytest.mark.parametrize("dim", [1, 31, 32, 4096, 32_768])
def test_a_query_holds_the_vector_as_the_client_would_write_it(dim: int) -> None:
    vector = np.random.default_rng(dim).standard_normal(dim).astype(np.float32)
    group = common_pb2.PlaceholderGroup.FromString(messages.search_head(dim) + vector.tobytes())
    value = common_pb2.PlaceholderValue(
        tag="$0", type=common_pb2.PlaceholderType.FloatVector, values=[vector.tobytes()]
    )
    assert group == common_pb2.PlaceholderGroup(placeholders=[value])


def test_older_servers_get_the_scalar_indexes_that_they_have() -> None:
    kinds = ("keyword", "integer", "float", "boolean")
    old = [messages.scalar_index(kind, (2, 3)) for kind in kinds]  # type: ignore[arg-type]
    assert old == ["Trie", "STL_SORT", "STL_SORT", None]
    assert {messages.scalar_index(kind, (2, 4)) for kind in kinds} == {"INVERTED"}  # type: ignore[arg-type]


def test_cosines_are_products_of_unit_vectors(server: FakeMilvus, tmp_path: Path) -> None:
    engine = Milvus(tmp_path, ServerIndexParams())
    engine.create(Schema(2, "cosine"))
    engine.index(Batch(np.arange(2), np.array([[3, 4], [0, 0]], dtype=np.float32)))
    engine.query(np.array([0, 5], dtype=np.float32), 1)
    engine.close()
    (index,), (insert,), (search,) = (server.requests(name) for name in ("CreateIndex", "Insert", "Search"))
    assert "IP" in {pair.value for pair in index.extra_params}
    assert insert.fields_data[1].vectors.float_vector.data[:] == pytest.approx([0.6, 0.8, 0, 0])
    assert search.placeholder_group.endswith(np.array([0, 1], np.float32).tobytes())


# -- parameters


def test_parameters_of_another_index_type_are_refused(tmp_path: Path) -> None:
    with pytest.raises(
        ValidationError, match="with_raw_data: no parameter of index_type: IVF_FLAT, remove it"
    ):
        ServerIndexParams(index_type="IVF_FLAT", with_raw_data=False)
    with pytest.raises(EngineError, match="milvus: reorder_k goes with SCANN, not with HNSW"):
        Milvus(tmp_path, ServerIndexParams()).configure(ServerSearchParams(reorder_k=50))


def test_search_parameters_are_raised_to_k() -> None:
    assert for_type(ServerSearchParams(ef=20), "HNSW", 50) == {"ef": 50}
    assert for_type(ServerSearchParams(nprobe=2, reorder_k=20), "SCANN", 50) == {"nprobe": 2, "reorder_k": 50}
    assert for_type(ServerSearchParams(), "FLAT", 50) == {}


def test_exact_search_is_offered_where_there_is_one(tmp_path: Path, server: FakeMilvus) -> None:
    for index_type, exact in (("FLAT", True), ("IVF_FLAT", True), ("HNSW", False), ("SCANN", False)):
        engine = Milvus(tmp_path, ServerIndexParams(index_type=index_type))  # type: ignore[arg-type]
        assert engine.capabilities.exact is exact
        engine.create(SCHEMA)
        if not exact:
            with pytest.raises(UnsupportedError, match=f"Milvus has no exact search over {index_type}"):
                engine.query(np.ones(4, np.float32), 3, exact=True)
        engine.close()


@pytest.mark.parametrize(
    ("level", "number", "stamp"),
    [("Strong", 0, 0), ("Session", 1, 100), ("Bounded", 2, 0), ("Eventually", 3, 0)],
)
def test_queries_say_how_fresh_the_answer_must_be(
    engine: Milvus, server: FakeMilvus, level: Any, number: int, stamp: int
) -> None:
    engine.configure(ServerSearchParams(consistency_level=level))
    engine.index(batch(2))
    engine.query(np.ones(4, np.float32), 3, Eq("new", True))
    (asked,) = server.requests("Search")
    assert (asked.consistency_level, asked.guarantee_timestamp) == (number, stamp)
    assert asked.dsl == "f3 == true"


# -- writes


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
    monkeypatch.setattr(settling, "_HANDOVER_S", 0.01)
    with pytest.raises(EngineError, match=r"Query: .*\(code (503|46)\)"):
        engine.refresh()


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


# -- settling


def test_queries_in_flight_ask_the_same_and_fail_one_by_one(engine: Milvus, server: FakeMilvus) -> None:
    def answered(request: Any) -> Any:
        if "13" in request.dsl:
            return milvus_pb2.SearchResults(status=common_pb2.Status(code=65535, reason="no such field"))
        ids = schema_pb2.IDs(int_id=schema_pb2.LongArray(data=[len(request.dsl), 2]))
        found = schema_pb2.SearchResultData(num_queries=1, top_k=2, ids=ids, scores=[0.5, 1.5], topks=[2])
        return milvus_pb2.SearchResults(results=found)

    server.answers["Search"] = answered
    filters = {1: None, 2: Eq("price", 7), 3: Eq("price", 13)}
    for token, where in filters.items():
        engine.submit(token, np.ones(4, np.float32), 2, where)
    came: dict[int, Any] = {}
    while len(came) < 3 and select([engine], [], [], 10)[0]:
        came |= dict(engine.collect())
    assert "Search: no such field (code 65535)" in str(came.pop(3))
    for token, hits in came.items():
        again = engine.query(np.ones(4, np.float32), 2, filters[token])
        assert (list(hits.ids), list(hits.scores)) == (list(again.ids), list(again.scores))
    in_flight, waited_for = server.requests("Search")[:3], server.requests("Search")[3:]
    assert sorted(each.SerializeToString() for each in waited_for) == sorted(
        each.SerializeToString() for each in in_flight if "13" not in each.dsl
    )


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


def stores(server: FakeMilvus, rows: dict[int, int]) -> None:
    """Has the server store these segments; beside them one without rows, one of deletes and one still written."""
    extra = (
        {"segmentID": 97, "state": "Flushed"},
        {"segmentID": 98, "state": "Flushed", "num_rows": 5, "level": "L0"},
        {"segmentID": 99, "state": "Growing", "num_rows": 5},
    )
    written = [{"segmentID": id_, "num_rows": count, "state": "Flushed"} for id_, count in rows.items()]
    reply = milvus_pb2.GetPersistentSegmentInfoResponse(infos=[*written, *extra])
    server.answers["GetPersistentSegmentInfo"] = lambda _: reply


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


def test_deletes_without_a_timestamp_are_seen_too(engine: Milvus, server: FakeMilvus) -> None:
    server.answers["Delete"] = lambda _: milvus_pb2.MutationResult()
    server.answers["AllocTimestamp"] = lambda _: milvus_pb2.AllocTimestampResponse(timestamp=500)
    engine.configure(ServerSearchParams(consistency_level="Session"))
    engine.delete(np.arange(10_000))
    assert len(server.requests("Delete")) == 2
    engine.query(np.ones(4, np.float32), 3)
    assert server.requests("Search")[0].guarantee_timestamp == 500


def test_a_compaction_that_is_given_up_is_tried_again(engine: Milvus, server: FakeMilvus) -> None:
    server.answers["ManualCompaction"] = lambda _: milvus_pb2.ManualCompactionResponse(compactionID=7)
    server.answers["GetCompactionState"] = lambda _: milvus_pb2.GetCompactionStateResponse(
        state=common_pb2.CompactionState.Completed, failedPlanNo=1
    )
    with pytest.raises(EngineError, match=r"compacting bakeoff_.* failed 3 times"):
        engine.refresh()


# -- connecting


def refused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    ("version", "accepted"),
    [("2.2.16", False), ("v2.3.0", True), ("v2.6.15-gpu", True), ("master-1a2b", True)],
)
def test_old_servers_are_refused(server: FakeMilvus, tmp_path: Path, version: str, accepted: bool) -> None:
    server.version = version
    engine = Milvus(tmp_path, ServerIndexParams())
    if accepted:
        engine.create(SCHEMA)
        assert engine._open.server == f"Milvus {version.removeprefix('v')}"
    else:
        with pytest.raises(
            EngineError, match=r"version 2\.2\.16 is not supported, 2.3 is the oldest that is"
        ):
            engine.create(SCHEMA)
    engine.close()


def test_no_server_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BAKEOFF_MILVUS_URL", f"http://me:hunter2@127.0.0.1:{refused_port()}")
    with pytest.raises(EngineError, match=r"UNAVAILABLE: .*; is the server running, and is") as raised:
        Milvus(tmp_path, ServerIndexParams()).create(SCHEMA)
    assert "hunter2" not in str(raised.value)


def test_tls_where_the_server_has_none(server: FakeMilvus, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("BAKEOFF_MILVUS_URL", server.url.replace("http:", "https:"))
    with pytest.raises(EngineError, match="with https:// exactly if it speaks TLS"):
        Milvus(tmp_path, ServerIndexParams()).create(SCHEMA)


def test_a_server_that_is_silent_is_given_up_in_seconds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(connection, "_CONNECT_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("BAKEOFF_MILVUS_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(EngineError, match=r"DEADLINE_EXCEEDED: .*is it overloaded, or out of reach"):
            Milvus(tmp_path, ServerIndexParams()).create(SCHEMA)


def test_wrong_credentials_are_named_and_not_shown(
    server: FakeMilvus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAKEOFF_MILVUS_USER", "root")
    monkeypatch.setenv("BAKEOFF_MILVUS_PASSWORD", "hunter2")
    server.answers["ShowCollections"] = lambda _: (
        grpc.StatusCode.UNAUTHENTICATED,
        "auth check failure, hunter2",
    )
    with pytest.raises(
        EngineError, match=r"auth check failure, .*set BAKEOFF_MILVUS_USER and _PASSWORD"
    ) as raised:
        Milvus(tmp_path, ServerIndexParams()).create(SCHEMA)
    assert "hunter2" not in str(raised.value)


def test_opening_another_schema_is_refused(server: FakeMilvus, engine: Milvus) -> None:
    other = messages.collection_schema("c", Schema(4, "l2"))
    server.answers["DescribeCollection"] = lambda _: milvus_pb2.DescribeCollectionResponse(schema=other)
    index = milvus_pb2.IndexDescription(field_name="vector", params=messages.pairs({"metric_type": "L2"}))
    server.answers["DescribeIndex"] = lambda _: milvus_pb2.DescribeIndexResponse(index_descriptions=[index])
    with pytest.raises(EngineError, match="has another schema than"):
        engine.open(SCHEMA)
    other = messages.collection_schema("c", SCHEMA)
    engine.open(SCHEMA)


def test_stats_come_from_the_server(engine: Milvus, server: FakeMilvus) -> None:
    server.answers["Query"] = lambda _: milvus_pb2.QueryResults(
        fields_data=[{"scalars": {"long_data": {"data": [5]}}}]
    )
    stores(server, {1: 2, 2: 2, 3: 1})
    stats = engine.stats()
    assert (stats.vectors, stats.details["segments"], stats.server) == (5, 3, "Milvus 2.5.0")


def test_dropping_works_after_closing(engine: Milvus, server: FakeMilvus) -> None:
    engine.close()
    server.asked.clear()
    holds(server, messages.collection_schema("x", SCHEMA).description)
    engine.drop()
    assert len(server.requests("DropCollection")) == 1
    engine.close()


def holds(server: FakeMilvus, description: str, name: str = "") -> None:
    """Has the server hold a collection under every name. name: that of the one behind it, where it is an alias."""
    schema = schema_pb2.CollectionSchema(description=description)
    server.answers["HasCollection"] = lambda request: milvus_pb2.BoolResponse(value=True)
    server.answers["DescribeCollection"] = lambda request: milvus_pb2.DescribeCollectionResponse(
        collection_name=name or request.collection_name, schema=schema
    )


@pytest.mark.parametrize(
    ("name", "description", "complaint"),
    [
        ("", "", "a collection"),
        ("", "the shop's", "a collection"),
        ("shop_v3", "bakeoff: ...", "an alias of shop_v3"),
    ],
)
def test_a_foreign_collection_is_never_dropped(
    server: FakeMilvus, engine: Milvus, name: str, description: str, complaint: str
) -> None:
    holds(server, description, name)
    for call in (lambda: engine.create(SCHEMA), engine.drop):
        with pytest.raises(EngineError, match=f"{complaint}, and was not made by this harness"):
            call()
    assert not server.requests("DropCollection")
    holds(server, messages.collection_schema("x", SCHEMA).description)
    engine.create(SCHEMA)
    assert len(server.requests("DropCollection")) == 1
