"""A collection on a Qdrant server: points over gRPC or REST by hand, the rest through Qdrant's client."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

from pydantic import BaseModel
from qdrant_client import models

from engines.abilities import Remote
from engines.base import (
    Batch,
    Capabilities,
    Engine,
    EngineError,
    EngineStats,
    Hits,
    Ids,
    Schema,
    Vectors,
)
from engines.filters import Filter
from engines.qdrant.control import Control, endpoint
from engines.qdrant.failures import Retries
from engines.qdrant.params import IndexParams, SearchParams, searching
from engines.qdrant.points.over_grpc import GrpcPoints
from engines.qdrant.points.over_rest import RestPoints
from engines.qdrant.settling import settle
from engines.server.names import collection_name
from engines.server.ownership import MARK
from engines.server.pipelined import PipelinedQueries, Transport
from engines.values.columns import prepared
from engines.values.contents import require_contents
from engines.values.vectors import require_query

_DELETED_AT_ONCE = 100_000


class Qdrant(PipelinedQueries, Engine, Remote):
    """One collection. Threads share a connection over gRPC and have one each over REST."""

    capabilities = Capabilities(
        persistent=True,
        durable=True,  # by its write-ahead log
        immediate=True,
        thread_safe=True,
        thread_safe_writes=True,
        multi_process=True,
        pipelined=True,
        server=True,
        cluster=True,
        tags=True,
        missing=True,
        quantization=True,
    )
    IndexParams: ClassVar = IndexParams
    SearchParams: ClassVar = SearchParams

    def __init__(self, path: Path, index: BaseModel) -> None:
        assert isinstance(index, IndexParams)
        self._params, self._name = index, collection_name(path)
        self._points: GrpcPoints | RestPoints | None = None
        self._search = SearchParams()

    @classmethod
    def version(cls) -> str:
        return f"qdrant-client {version('qdrant-client')}"

    @property
    def _open(self) -> GrpcPoints | RestPoints:
        assert self._points is not None, "create() or open() comes first"
        return self._points

    def create(self, schema: Schema) -> None:
        self.close()
        self._connect(schema)
        self._control.create(self._name, schema, self._params)

    def open(self, schema: Schema) -> None:
        self.close()
        self._connect(schema)
        try:
            found = (self._info().config.metadata or {}).get(MARK)
            require_contents(self._label, found, schema, self._params)
        except BaseException:
            self.close()
            raise

    def _connect(self, schema: Schema) -> None:
        address, port = endpoint()
        grpc = self._params.prefer_grpc
        points = (
            GrpcPoints(address, port, self._name, schema) if grpc else RestPoints(address, self._name, schema)
        )
        self._label = f"{points.server}: collection {self._name}"
        self._schema, self._retries = schema, Retries()
        self._control = Control(address, port, points.server, prefer_grpc=grpc)
        self._pool = ThreadPoolExecutor(self._params.parallel, "qdrant-upsert")
        self._points = points
        try:
            points.warm()
            self._server = self._control.version()
            self.configure(self._search)
        except BaseException:
            self.close()
            raise

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, SearchParams)
        self._search = search
        rounded = self._params.quantization != "none" and not search.rescore
        self.capabilities = replace(
            type(self).capabilities, exact_scores=not rounded, receiving_thread=self._params.prefer_grpc
        )
        if self._points is None:
            return
        approximate, exact = (searching(search, self._params, exact=exact) for exact in (False, True))
        self._points.prepare(approximate, exact)

    def index(self, batch: Batch) -> None:
        points, sent = self._open, deque[Future[None]]()
        try:
            for request in points.upserts(prepared(batch, self._schema), self._params.batch_size):
                if len(sent) == self._params.parallel:
                    sent.popleft().result()
                sent.append(self._pool.submit(self._retries.attempt, partial(points.upsert, request)))
            while sent:
                sent.popleft().result()
        finally:
            wait(sent)  # after a failure, too, no write is under way when this returns

    def delete(self, ids: Ids) -> None:
        for start in range(0, len(ids), _DELETED_AT_ONCE):
            self._retries.attempt(partial(self._open.delete, ids[start : start + _DELETED_AT_ONCE]))

    def refresh(self) -> None:
        """Waits until the optimizers have nothing left to do; every write was applied when it returned."""
        settle(self._control, self._name, self._label, self._params.indexing_threshold)

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        require_query(vector, self._schema)
        return self._open.query(vector, k, where, exact=exact)

    def _asking(self, vector: Vectors, k: int, where: Filter | None) -> tuple[str | bytes, ...]:
        require_query(vector, self._schema)
        return self._open.asking(vector, k, where, exact=False)

    def _answered(self, raw: bytes) -> Hits:
        return self._open.answered(raw)

    def _transport(self) -> Transport:
        return self._open.pipeline()

    def count(self) -> int:
        return self._control.count(self._name)

    def stats(self) -> EngineStats:
        info = self._info()
        details = {"segments": info.segments_count, "indexed_vectors": info.indexed_vectors_count or 0}
        retries = self._retries.count + self._open.retries
        server = f"Qdrant {self._server}"
        return EngineStats(self.count(), None, details, server, retries, self._open.query_path)

    def _info(self) -> models.CollectionInfo:
        info = self._control.info(self._name)
        if info is None:
            raise EngineError(f"{self._label} does not exist, create it first")
        return info

    def drop(self) -> None:
        if self._points is None:
            self._connect(Schema(1, "l2"))
        self._control.drop(self._name)
        self.close()

    def close(self) -> None:
        self._end_flights()
        if self._points is not None:
            self._pool.shutdown()
            self._control.close()
            self._points.close()
            self._points = None
