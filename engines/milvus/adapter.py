"""A Milvus server through the generated gRPC stubs of pymilvus."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

from pydantic import BaseModel
from pymilvus.grpc_gen import milvus_pb2  # type: ignore[import-untyped]

from engines.base import (
    Batch,
    Capabilities,
    Engine,
    EngineError,
    EngineStats,
    Hits,
    Ids,
    Schema,
    UnsupportedError,
    Vectors,
)
from engines.filters import Filter
from engines.grpc.pipeline import Pipeline
from engines.milvus import collection, messages, settling
from engines.milvus.connection import Connection
from engines.milvus.filters import Expressions
from engines.milvus.params import EXACT, ROUNDED, ServerIndexParams, ServerSearchParams, for_type
from engines.server.endpoint import Endpoint
from engines.server.names import collection_name
from engines.server.pipelined import PipelinedQueries
from engines.values.columns import normalized, prepared
from engines.values.vectors import require_query

QUERY_PATH = "pymilvus' generated gRPC stub, messages filled by hand"
_DELETED_AT_ONCE = 8192  # ids in one request


class Milvus(PipelinedQueries, Engine):
    """One collection on a Milvus server."""

    capabilities = Capabilities(
        persistent=True,
        durable=True,  # a write is acknowledged once it is in the log
        thread_safe=True,
        thread_safe_writes=True,
        multi_process=True,
        pipelined=True,
        receiving_thread=True,
        server=True,
        cluster=True,
        tags=True,
        missing=True,
        quantization=True,
    )
    IndexParams: ClassVar = ServerIndexParams
    SearchParams: ClassVar = ServerSearchParams

    def __init__(self, path: Path, index: BaseModel) -> None:
        assert isinstance(index, ServerIndexParams)
        self._params, self._name = index, collection_name(path)
        self._connection: Connection | None = None
        self.capabilities = replace(
            type(self).capabilities,
            exact=index.index_type in EXACT,
            exact_scores=index.index_type not in ROUNDED,
        )
        self._search = ServerSearchParams()
        self._templates: dict[tuple[int, bool], Any] = {}  # (k, exact) -> request
        self._written = 1  # timestamp of this client's last write; 1: none yet
        self._loading = Lock()  # one thread at a time: ids are compared with those written before
        self._newest: int | None = None  # the highest id so far, while only this engine knows the collection

    @classmethod
    def version(cls) -> str:
        return f"pymilvus {version('pymilvus')}"

    @property
    def _open(self) -> Connection:
        assert self._connection is not None, "create() or open() comes first"
        return self._connection

    def _connect(self, schema: Schema) -> Connection:
        self.close()
        self._connection = Connection(Endpoint.of("milvus"))
        self._schema, self._expressions = schema, Expressions(schema)
        self._head, self._templates = messages.search_head(schema.dim), {}
        return self._connection

    def create(self, schema: Schema) -> None:
        server = self._connect(schema)
        collection.create(server, self._name, schema, self._params)
        self._written, self._newest = 1, -1

    def open(self, schema: Schema) -> None:
        server = self._connect(schema)
        collection.verify(server, self._name, schema, self._params)
        collection.load(server, self._name, self._params.replica_number)
        # At consistency level Session, too, queries must see everything written up to now.
        self._written, self._newest = self._now(), None

    def _now(self) -> int:
        """A server timestamp later than all acknowledged writes. Servers of 2.3 return none for deletes."""
        return int(self._open.call("AllocTimestamp", milvus_pb2.AllocTimestampRequest()).timestamp)

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, ServerSearchParams)
        for_type(search, self._params.index_type)
        self._search, self._templates = search, {}
        shows = search.consistency_level in ("Strong", "Session")
        self.capabilities = replace(self.capabilities, immediate=shows)

    def index(self, batch: Batch) -> None:
        batch = prepared(batch, self._schema)
        if not len(batch):
            return
        with self._loading if self._newest is not None else nullcontext():
            self._write(batch)

    def _write(self, batch: Batch) -> None:
        # Ids above all others replace nothing: an insert spares the server the search for former items.
        new = self._newest is not None and int(batch.ids.min()) > self._newest
        method, kind = ("Insert", milvus_pb2.InsertRequest) if new else ("Upsert", milvus_pb2.UpsertRequest)
        if self._newest is not None:
            self._newest = max(self._newest, int(batch.ids.max()))
        answers: deque[tuple[int, Callable[[], Any]]] = deque()
        for request in messages.writes(kind, self._name, self._schema, batch, self._params.request_bytes):
            if len(answers) == self._params.in_flight:
                self._acknowledge(*answers.popleft())
            answers.append((request.num_rows, self._open.begin(method, request)))
        while answers:
            self._acknowledge(*answers.popleft())

    def _acknowledge(self, rows: int, answer: Callable[[], Any]) -> None:
        reply = answer()
        if reply.insert_cnt != rows:
            raise EngineError(f"milvus: {reply.insert_cnt} of {rows} items of a request were written")
        self._written = max(self._written, reply.timestamp)

    def refresh(self) -> None:
        """Flushes, compacts, waits for every index and for it to be loaded, and for the last write to be seen."""
        settling.settle(self._open, self._name, self._params.replica_number)
        self._newest = None  # from here on other clients may write too

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        return Hits(*messages.decoded(self._open.search(*self._asking(vector, k, where, exact=exact))))

    def _asking(
        self, vector: Vectors, k: int, where: Filter | None, *, exact: bool = False
    ) -> tuple[milvus_pb2.SearchRequest]:
        template = self._templates.get((k, exact)) or self._template(k, exact)
        request = milvus_pb2.SearchRequest()
        request.CopyFrom(template)
        if where is not None:
            request.dsl = self._expressions.translate(where)
        if self._search.consistency_level == "Session":
            request.guarantee_timestamp = self._written
        require_query(vector, self._schema)
        if self._schema.metric == "cosine":
            vector = normalized(vector)
        request.placeholder_group = self._head + vector.tobytes()
        return (request,)

    def _answered(self, raw: bytes) -> Hits:
        return Hits(*messages.decoded(self._open.searched(raw)))

    def _transport(self) -> Pipeline:
        return self._open.pipeline()

    def _template(self, k: int, exact: bool) -> Any:
        params = self._params
        if exact and params.index_type not in EXACT:
            raise UnsupportedError(f"Milvus has no exact search over {params.index_type}")
        given = for_type(self._search, params.index_type, k)
        if exact and "nprobe" in given:
            given["nprobe"] = params.nlist
        metric, level = messages.METRICS[self._schema.metric], self._search.consistency_level
        request = messages.search(self._name, metric, k, given, level)
        self._templates[k, exact] = request
        return request

    def delete(self, ids: Ids) -> None:
        for start in range(0, len(ids), _DELETED_AT_ONCE):
            listed = ", ".join(map(str, ids[start : start + _DELETED_AT_ONCE].tolist()))
            request = milvus_pb2.DeleteRequest(collection_name=self._name, expr=f"id in [{listed}]")
            self._written = max(self._written, self._open.call("Delete", request).timestamp or self._now())

    def count(self) -> int:
        return collection.count(self._open, self._name)

    def stats(self) -> EngineStats:
        server, params = self._open, self._params
        details = {
            "index_type": params.index_type,
            "segments": len(collection.stored_segments(server, self._name)),
            "shards_num": params.shards_num,
            "replica_number": params.replica_number,
        }
        # GetMetrics has the size of the logs, but a proxy goes on repeating an old answer.
        return EngineStats(self.count(), None, details, server.server, server.retries, QUERY_PATH)

    def drop(self) -> None:
        server = self._connection = self._connection or Connection(Endpoint.of("milvus"))
        try:
            collection.drop(server, self._name)
        finally:
            self.close()

    def close(self) -> None:
        self._end_flights()
        if self._connection is not None:
            self._connection.close()
            self._connection = None
