"""How a Milvus server is brought to rest: what `refresh` waits for, in this order."""

from __future__ import annotations

import time
from collections.abc import Callable

from pymilvus.grpc_gen import common_pb2, milvus_pb2  # type: ignore[import-untyped]

from engines.base import EngineError
from engines.milvus.connection import Connection
from engines.milvus.messages import STRONG

_SHORTEST_S, _LONGEST_S = 0.01, 0.25  # between two looks at the server
_STALE_S = 5.0  # how old an answer of a replica may be at consistency level Bounded (common.gracefulTime)
_ATTEMPTS = 3


def settle(connection: Connection, name: str, replicas: int) -> None:
    """Returns once everything acknowledged is in sealed, compacted, indexed segments, those are loaded, and no
    query of any consistency level answers from before.
    """
    _flush(connection, name)
    _await_indexes(connection, name)
    _compact(connection, name)
    _await_indexes(connection, name)
    load(connection, name, replicas, again=True)
    count(connection, name)  # waits until the one replica that answers has taken in everything
    if replicas > 1:
        time.sleep(_STALE_S)  # and this until the others have


def load(connection: Connection, name: str, replicas: int, *, again: bool = False) -> None:
    """Loads a collection into the query nodes, or has them take over what has changed in one that is loaded."""
    request = milvus_pb2.LoadCollectionRequest(collection_name=name, replica_number=replicas, refresh=again)
    connection.call("LoadCollection", request)

    def loaded() -> bool:
        asked = milvus_pb2.GetLoadingProgressRequest(collection_name=name)
        progress = connection.call("GetLoadingProgress", asked)
        return bool((progress.refresh_progress if again else progress.progress) >= 100)

    _until(loaded)


def count(connection: Connection, name: str) -> int:
    """How many items there are, everything acknowledged before included."""
    request = milvus_pb2.QueryRequest(
        collection_name=name, expr="", output_fields=["count(*)"], consistency_level=STRONG
    )
    return int(connection.call("Query", request).fields_data[0].scalars.long_data.data[0])


def _flush(connection: Connection, name: str) -> None:
    reply = connection.call("Flush", milvus_pb2.FlushRequest(collection_names=[name]))
    state = milvus_pb2.GetFlushStateRequest(
        segmentIDs=reply.coll_segIDs[name].data, flush_ts=reply.coll_flush_ts[name], collection_name=name
    )
    _until(lambda: bool(connection.call("GetFlushState", state).flushed))


def _await_indexes(connection: Connection, name: str) -> None:
    request = milvus_pb2.DescribeIndexRequest(collection_name=name)

    def built() -> bool:
        indexes = connection.call("DescribeIndex", request).index_descriptions
        for index in indexes:
            if index.state == common_pb2.IndexState.Failed:
                reason = index.index_state_fail_reason or "the server gives no reason"
                raise EngineError(f"milvus: the index over {index.field_name} failed: {reason}")
        # indexed_rows and total_rows differ for a while after a compaction, in either direction.
        return all(
            index.pending_index_rows == 0 and index.state == common_pb2.IndexState.Finished for index in indexes
        )

    _until(built)


def _compact(connection: Connection, name: str) -> None:
    """Has small segments merged and deleted rows dropped, as Milvus would later, in the middle of a measurement."""
    described = connection.call("DescribeCollection", milvus_pb2.DescribeCollectionRequest(collection_name=name))
    request = milvus_pb2.ManualCompactionRequest(collectionID=described.collectionID, collection_name=name)
    for _ in range(_ATTEMPTS):
        number = connection.call("ManualCompaction", request).compactionID
        if number <= 0 or not _plans_failed(connection, number):
            return
        connection.retries += 1
    raise EngineError(f"milvus: compacting {name} failed {_ATTEMPTS} times; see the server's log")


def _plans_failed(connection: Connection, number: int) -> bool:
    """Waits for a compaction; whether part of it was given up."""
    request = milvus_pb2.GetCompactionStateRequest(compactionID=number)
    done = common_pb2.CompactionState.Completed
    _until(lambda: bool(connection.call("GetCompactionState", request).state == done))
    state = connection.call("GetCompactionState", request)
    return bool(state.failedPlanNo or state.timeoutPlanNo)


def _until(done: Callable[[], bool]) -> None:
    """Asks again and again, ever less often. Building an index may take hours: there is no time limit."""
    pause_s = _SHORTEST_S
    while not done():
        time.sleep(pause_s)
        pause_s = min(1.5 * pause_s, _LONGEST_S)
