"""One collection on a server: made, checked, loaded, counted, dropped."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pymilvus.grpc_gen import common_pb2, milvus_pb2  # type: ignore[import-untyped]

from engines.base import EngineError, Schema
from engines.milvus import messages
from engines.milvus.connection import Connection
from engines.milvus.fields import stored_fields
from engines.milvus.params import ServerIndexParams
from engines.server.ownership import MARK, ForeignError
from engines.values.contents import contents, require_contents

_PREFIX = f"{MARK}: "  # of the description of a collection that is ours
_SHORTEST_S, _LONGEST_S = 0.01, 0.25  # between two requests for the state


def create(server: Connection, name: str, schema: Schema, params: ServerIndexParams) -> None:
    """Makes an empty collection with its indexes and loads it; one of the same name is dropped if it is ours.

    Raises ForeignError if it is not.
    """
    drop(server, name)
    fields = messages.collection_schema(name, schema, _PREFIX + contents(schema, params)).SerializeToString()
    server.call(
        "CreateCollection",
        milvus_pb2.CreateCollectionRequest(collection_name=name, schema=fields, shards_num=params.shards_num),
    )
    options = {
        "index_type": params.index_type,
        "metric_type": messages.METRICS[schema.metric],
        "params": params.build,
    }
    _create_index(server, name, "vector", options)
    for field, kind in stored_fields(schema).items():
        if index_type := messages.scalar_index(kind, server.version):
            _create_index(server, name, field, {"index_type": index_type})
    load(server, name, params.replica_number)


def _create_index(server: Connection, name: str, field: str, options: dict[str, Any]) -> None:
    server.call(
        "CreateIndex",
        milvus_pb2.CreateIndexRequest(
            collection_name=name, field_name=field, index_name=field, extra_params=messages.pairs(options)
        ),
    )


def verify(server: Connection, name: str, schema: Schema, params: ServerIndexParams) -> None:
    """Raises EngineError unless there is such a collection, of this schema, model and index."""
    where = f"milvus at {server.url}: collection {name}"
    if not _exists(server, name):
        raise EngineError(f"{where} does not exist, create it first")
    found = _described(server, name).schema.description.removeprefix(_PREFIX)
    require_contents(where, found, schema, params)


def load(server: Connection, name: str, replicas: int, *, again: bool = False) -> None:
    """Loads it into the query nodes, or has them take over what has changed since they loaded it."""
    request = milvus_pb2.LoadCollectionRequest(collection_name=name, replica_number=replicas, refresh=again)
    server.call("LoadCollection", request)
    asked = milvus_pb2.GetLoadingProgressRequest(collection_name=name)

    def loaded() -> bool:
        progress = server.call("GetLoadingProgress", asked)
        return bool((progress.refresh_progress if again else progress.progress) >= 100)

    until(loaded)


def count(server: Connection, name: str) -> int:
    """How many items there are, everything included that was acknowledged before."""
    request = milvus_pb2.QueryRequest(
        collection_name=name, expr="", output_fields=["count(*)"], consistency_level=messages.STRONG
    )
    return int(server.call("Query", request).fields_data[0].scalars.long_data.data[0])


def identity(server: Connection, name: str) -> int:
    """The number that the server gave it."""
    return int(_described(server, name).collectionID)


def stored_segments(server: Connection, name: str) -> dict[int, int]:
    """Segment -> its rows, deleted ones included; of those with rows that have been written to storage."""
    request = milvus_pb2.GetPersistentSegmentInfoRequest(collectionName=name)
    infos = server.call("GetPersistentSegmentInfo", request).infos
    flushed = common_pb2.SegmentState.Flushed
    return {info.segmentID: info.num_rows for info in infos if info.state == flushed and _has_rows(info)}


def loaded_segments(server: Connection, name: str) -> dict[int, tuple[int, int]]:
    """Segment -> (its rows, on how many query nodes it is); of those that queries are answered from."""
    request = milvus_pb2.GetQuerySegmentInfoRequest(collectionName=name)
    infos = server.call("GetQuerySegmentInfo", request).infos
    return {info.segmentID: (info.num_rows, len(set(info.nodeIds))) for info in infos if _has_rows(info)}


def _has_rows(info: Any) -> bool:
    # Segments of level 0 hold deletes only.
    return bool(info.num_rows > 0 and info.level != common_pb2.SegmentLevel.L0)


def drop(server: Connection, name: str) -> None:
    """Removes it, if it is there. Raises ForeignError for one that is not ours, or an alias."""
    if not _exists(server, name):
        return
    found = _described(server, name)  # of the collection behind it, where the name is an alias
    address = f"milvus at {server.url}"
    if found.collection_name != name:
        raise ForeignError(address, name, f"an alias of {found.collection_name}")
    if not found.schema.description.startswith(_PREFIX):
        raise ForeignError(address, name, "a collection")
    server.call("DropCollection", milvus_pb2.DropCollectionRequest(collection_name=name))


def _exists(server: Connection, name: str) -> bool:
    return bool(server.call("HasCollection", milvus_pb2.HasCollectionRequest(collection_name=name)).value)


def _described(server: Connection, name: str) -> Any:
    return server.call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=name))


def until(done: Callable[[], bool]) -> None:
    """Waits with growing pauses. There is no time limit: building an index may take hours."""
    pause_s = _SHORTEST_S
    while not done():
        time.sleep(pause_s)
        pause_s = min(1.5 * pause_s, _LONGEST_S)
