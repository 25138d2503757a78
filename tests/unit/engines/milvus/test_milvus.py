"""A collection on a Milvus server: opened, described, dropped, and whose it is."""

from __future__ import annotations

import pytest

from engines.base import EngineError, Schema

pytest.importorskip("pymilvus")

from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from engines.milvus import messages
from engines.milvus.adapter import Milvus
from tests.servers.fake_milvus import FakeMilvus
from tests.unit.engines.milvus.contents import SCHEMA, stores


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


def holds(server: FakeMilvus, description: str, name: str = "") -> None:
    """Has the server hold a collection under every name. name: that of the one behind it, where it is an alias."""
    schema = schema_pb2.CollectionSchema(description=description)
    server.answers["HasCollection"] = lambda request: milvus_pb2.BoolResponse(value=True)
    server.answers["DescribeCollection"] = lambda request: milvus_pb2.DescribeCollectionResponse(
        collection_name=name or request.collection_name, schema=schema
    )


def test_dropping_works_after_closing(engine: Milvus, server: FakeMilvus) -> None:
    engine.close()
    server.asked.clear()
    holds(server, messages.collection_schema("x", SCHEMA).description)
    engine.drop()
    assert len(server.requests("DropCollection")) == 1
    engine.close()


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
