"""Queries to a Milvus server: their parameters, how fresh, and many in flight."""

from __future__ import annotations

from pathlib import Path
from select import select
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from engines.base import EngineError, UnsupportedError
from engines.filters import Eq

pytest.importorskip("pymilvus")

from pymilvus.grpc_gen import common_pb2, milvus_pb2, schema_pb2

from engines.milvus.adapter import Milvus
from engines.milvus.params import ServerIndexParams, ServerSearchParams, for_type
from tests.servers.fake_milvus import FakeMilvus
from tests.unit.engines.milvus.contents import SCHEMA, batch


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
