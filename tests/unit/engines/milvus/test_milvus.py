"""A collection on a Milvus server: opened, described, dropped, and whose it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engines.base import EngineError, Schema

pytest.importorskip("pymilvus")

from pymilvus.grpc_gen import milvus_pb2, schema_pb2

from engines.milvus.adapter import Milvus
from tests.servers.fake_milvus import FakeMilvus
from tests.unit.engines.milvus.contents import SCHEMA, stores


def test_a_collection_says_what_it_holds(server: FakeMilvus, engine: Milvus) -> None:
    made = replace(SCHEMA, model="tower@1#0123456789ab")
    engine.create(made)
    (*_, request) = server.requests("CreateCollection")
    kept = schema_pb2.CollectionSchema.FromString(request.schema).description
    with pytest.raises(EngineError, match="does not exist, create it first"):
        engine.open(made)
    holds(server, kept)
    engine.open(made)
    with pytest.raises(
        EngineError, match=r"of model tower@1#0123456789ab, not of model tower@2#0123456789ab"
    ):
        engine.open(replace(made, model="tower@2#0123456789ab"))
    with pytest.raises(EngineError, match="holds another collection"):
        engine.open(Schema(4, "l2", model=made.model))
    holds(server, "bakeoff: made by this harness")
    with pytest.raises(EngineError, match=r"does not say .* model tower@1#0123456789ab: create it again"):
        engine.open(made)


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
    holds(server, "bakeoff: ...")
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
    holds(server, "bakeoff: ...")
    engine.create(SCHEMA)
    assert len(server.requests("DropCollection")) == 1
