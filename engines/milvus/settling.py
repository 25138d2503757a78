"""What `refresh` waits for on a Milvus server, in this order."""

from __future__ import annotations

import time

from pymilvus.grpc_gen import common_pb2, milvus_pb2  # type: ignore[import-untyped]

from engines.base import EngineError
from engines.milvus.collection import count, identity, load, loaded_segments, stored_segments, until
from engines.milvus.connection import Connection, UnservedError

_STALE_S = 5.0  # how old an answer of a replica may be at consistency level Bounded (common.gracefulTime)
_ATTEMPTS = 3
_QUIET = 2  # checks in a row that must find every index built
_HANDOVER_S, _PAUSE_S = 60.0, 0.25
_AGREEING = 2  # answers in a row by which the query nodes must hold what is stored
_STALLED_S = 1800.0  # without a row indexed: longer than the largest segment takes


def settle(server: Connection, name: str, replicas: int) -> None:
    """Returns once everything acknowledged is in sealed, compacted, indexed segments, those are loaded, and no
    query at any consistency level is answered from an older state.
    """
    _flush(server, name)
    _await_indexes(server, name)
    _compact(server, name)
    _await_indexes(server, name)
    _load(server, name, replicas)
    _await_replica(server, name)
    if replicas > 1:
        time.sleep(_STALE_S)  # the other replicas have caught up by then


def _load(server: Connection, name: str, replicas: int) -> None:
    """Returns once the query nodes hold exactly the segments that are stored, each on a node of every replica.

    While a merged segment has no index, the server may load those it was made of, report that all is loaded, and change
    to the merged one later. So it is asked again until it has. Which indexes are loaded, it does not tell: a segment
    has a name of one, whichever comes first.
    """
    load(server, name, replicas, again=True)
    deadline_s, agreeing = time.monotonic() + _HANDOVER_S, 0
    while True:
        stored, loaded = stored_segments(server, name), loaded_segments(server, name)
        held = {segment: rows for segment, (rows, nodes) in loaded.items() if nodes >= replicas}
        agreeing = agreeing + 1 if held == stored and len(loaded) == len(held) else 0
        if agreeing == _AGREEING:
            return
        if time.monotonic() > deadline_s:
            raise EngineError(
                f"milvus at {server.url}: {_HANDOVER_S:.0f} s after loading, the query nodes hold segments "
                f"{sorted(loaded)} of {name}, stored are {sorted(stored)}, and {replicas} replicas are wanted of "
                "each; see the log of the query coordinator"
            )
        time.sleep(_PAUSE_S)
        if not agreeing:
            load(server, name, replicas, again=True)


def _await_replica(server: Connection, name: str) -> None:
    """Counts the items: the answer comes once its replica has applied every write.

    What was compacted is handed over after it counts as loaded; meanwhile no node may serve it.
    """
    deadline_s = time.monotonic() + _HANDOVER_S
    while True:
        try:
            count(server, name)
            return
        except UnservedError:
            if time.monotonic() > deadline_s:
                raise
        server.retries += 1
        time.sleep(_PAUSE_S)


def _flush(server: Connection, name: str) -> None:
    reply = server.call("Flush", milvus_pb2.FlushRequest(collection_names=[name]))
    request = milvus_pb2.GetFlushStateRequest(
        segmentIDs=reply.coll_segIDs[name].data, flush_ts=reply.coll_flush_ts[name], collection_name=name
    )
    until(lambda: bool(server.call("GetFlushState", request).flushed))


def _await_indexes(server: Connection, name: str) -> None:
    request = milvus_pb2.DescribeIndexRequest(collection_name=name)
    seen: list[int] = []
    since_s, quiet = time.monotonic(), 0

    def built() -> bool:
        nonlocal seen, since_s, quiet
        indexes = server.call("DescribeIndex", request).index_descriptions
        for index in indexes:
            if index.state == common_pb2.IndexState.Failed:
                reason = index.index_state_fail_reason or "the server gives no reason"
                raise EngineError(f"milvus at {server.url}: indexing {index.field_name} failed: {reason}")
        # indexed_rows and total_rows are no measure: they differ for a while after a compaction, in both directions.
        pending = sorted(index.pending_index_rows for index in indexes)
        if pending != seen:
            seen, since_s = pending, time.monotonic()
        elif any(pending) and time.monotonic() - since_s > _STALLED_S:
            raise EngineError(
                f"milvus at {server.url}: no row of {name} was indexed for {_STALLED_S:.0f} s, {max(pending)} are "
                "left; does the server have an index node, and this index type?"
            )
        finished = common_pb2.IndexState.Finished
        # Twice in a row: a segment that has just been written is counted a moment after it is there.
        quiet = quiet + 1 if not any(pending) and all(index.state == finished for index in indexes) else 0
        return quiet == _QUIET

    until(built)


def _compact(server: Connection, name: str) -> None:
    """Has small segments merged and deleted rows dropped; Milvus would do it later, in the middle of a measurement."""
    request = milvus_pb2.ManualCompactionRequest(collectionID=identity(server, name), collection_name=name)
    for _ in range(_ATTEMPTS):
        number = server.call("ManualCompaction", request).compactionID
        if number <= 0 or not _given_up(server, number):
            return
        server.retries += 1
    raise EngineError(
        f"milvus at {server.url}: compacting {name} failed {_ATTEMPTS} times; see the server's log"
    )


def _given_up(server: Connection, number: int) -> bool:
    """Waits for a compaction; whether part of it failed."""
    request = milvus_pb2.GetCompactionStateRequest(compactionID=number)
    done = common_pb2.CompactionState.Completed
    until(lambda: bool(server.call("GetCompactionState", request).state == done))
    state = server.call("GetCompactionState", request)
    return bool(state.failedPlanNo or state.timeoutPlanNo)
