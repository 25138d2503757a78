"""Elasticsearch: searches and writes over a thin HTTP client, all else through the official one."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import orjson
from pydantic import BaseModel

from engines import disk
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
from engines.bulk import Bulk
from engines.columns import prepared
from engines.elasticsearch import wire
from engines.elasticsearch.filters import Queries
from engines.elasticsearch.params import IndexParams, SearchParams
from engines.elasticsearch.server import Server
from engines.filters import Filter
from engines.http import HttpClient
from engines.server import Endpoint, collection_name, deferred

_NAME = "elasticsearch"
_CHUNK_BYTES = 8 << 20  # vectors in one bulk request
_PACKED_SINCE = (9, 4)


class Elasticsearch(Engine):
    """One index on a server."""

    capabilities = Capabilities(
        persistent=True, thread_safe=True, multi_process=True, server=True, quantization=True
    )
    IndexParams: ClassVar = IndexParams
    SearchParams: ClassVar = SearchParams

    def __init__(self, path: Path, index: BaseModel) -> None:
        assert isinstance(index, IndexParams)
        self._path, self._params, self._index = path, index, collection_name(path)
        self._search = f"/{self._index}/_search?allow_partial_search_results=false"
        self._http: HttpClient | None = None
        exact = index.type == "flat" or index.script_score
        self.capabilities = replace(type(self).capabilities, exact=exact)
        self.configure(SearchParams())

    @classmethod
    def version(cls) -> str:
        return f"elasticsearch {version('elasticsearch')}"

    @property
    def _open(self) -> HttpClient:
        assert self._http is not None, "create() or open() comes first"
        return self._http

    def create(self, schema: Schema) -> None:
        self._connect(schema)
        disk.begin(self._path, schema, self._params)
        self._server.create(self._index, self._params.mappings(schema), self._params.settings())
        self._loading = True

    def open(self, schema: Schema) -> None:
        disk.verify(self._path, schema, self._params)
        self._connect(schema)
        meta = self._server.meta(self._index)
        if meta is None:
            raise EngineError(f"elasticsearch: there is no index {self._index} any more, create it again")
        if meta != self._params.mappings(schema)["_meta"]:
            raise EngineError(f"elasticsearch: {self._index} is an index of another schema, create it again")
        self._loading = False

    def _connect(self, schema: Schema) -> None:
        self.close()
        endpoint = Endpoint.of(_NAME)
        http = HttpClient(endpoint)
        http.warm()  # says what is wrong with address or certificate in one line
        try:
            self._server = Server(endpoint)
        except EngineError:
            http.close()
            raise
        self._bulk = Bulk(_NAME, http, self._index, self._params.thread_count)
        self._pack: Any = wire.pack if self._server.release >= _PACKED_SINCE else wire.plain
        self._schema, self._queries, self._decode = schema, Queries(schema), wire.decoder(schema.metric)
        self._http = http

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, SearchParams)
        self._candidates, self._options = search.num_candidates, search.rescoring(self._params)
        if self._http is not None:
            self._http.warm()

    def index(self, batch: Batch) -> None:
        batch = prepared(batch, self._schema)
        size = min(self._params.chunk_size, max(1, _CHUNK_BYTES // (4 * self._schema.dim)))
        self._bulk.write(
            _slices(len(batch), size),
            lambda rows: wire.upserts(_part(batch, rows), self._schema, self._pack),
        )

    def delete(self, ids: Ids) -> None:
        self._bulk.write(_slices(len(ids), self._params.chunk_size), lambda rows: wire.deletions(ids[rows]))

    def refresh(self) -> None:
        """See README.md. The first one after create() ends the loading."""
        self._server.refresh(self._index)
        if self._loading and self.count():
            self._server.set_refresh_interval(self._index, self._params.refresh_interval)
            if self._params.force_merge:
                self._server.merge(self._index)
            self._loading = False
        self._server.settle(self._index)

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        self._schema.require_dim(vector)
        vector = wire.comparable(vector, self._schema.metric)
        condition = None if where is None else self._queries.translate(where)
        if not exact or self._params.type == "flat":
            body = wire.knn(self._pack(vector), k, self._candidates, condition, self._options)
        elif self._params.script_score:
            body = wire.script(vector, k, self._schema.metric, condition)
        else:
            raise UnsupportedError(
                f"elasticsearch: no exact search over type: {self._params.type} without script_score: true"
            )
        return deferred(self._open.post(self._search, body), self._decode)

    def count(self) -> int:
        return int(orjson.loads(self._open.post(f"/{self._index}/_count", b""))["count"])

    def stats(self) -> EngineStats:
        size, segments = self._server.sizes(self._index)
        return EngineStats(
            self.count(),
            size,
            {"type": self._params.type, "segments": segments},
            server=f"Elasticsearch {self._server.version}",
            retries=self._open.retries + self._bulk.retries,
        )

    def drop(self) -> None:
        if self._http is None:
            server = Server(Endpoint.of(_NAME))
            server.drop(self._index)
            server.close()
            return
        self._server.drop(self._index)
        self.close()

    def close(self) -> None:
        if self._http is not None:
            self._bulk.close()
            self._server.close()
            self._http.close()
            self._http = None


def _slices(rows: int, size: int) -> list[slice]:
    return [slice(start, start + size) for start in range(0, rows, size)]


def _part(batch: Batch, rows: slice) -> Batch:
    columns = {name: column[rows] for name, column in batch.attributes.items()}
    return Batch(batch.ids[rows], batch.vectors[rows], columns)
