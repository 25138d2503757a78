"""OpenSearch with its k-NN plugin: searches and writes over a thin HTTP client, all else through the official one."""

from __future__ import annotations

from importlib.metadata import version
from math import ceil
from pathlib import Path
from typing import ClassVar

import orjson
from pydantic import BaseModel

from engines import disk
from engines.base import Batch, Capabilities, Engine, EngineError, EngineStats, Hits, Ids, Schema, Vectors
from engines.bulk import Bulk
from engines.columns import prepared
from engines.filters import Filter
from engines.http import HttpClient
from engines.opensearch import wire
from engines.opensearch.filters import Queries
from engines.opensearch.params import MOST_CANDIDATES, IndexParams, SearchParams
from engines.opensearch.server import Server
from engines.server import Endpoint, collection_name, deferred

_NAME = "opensearch"
_CHUNK_BYTES = 8 << 20  # vectors in one bulk request; as JSON they are two to three times as long
_FEW = 50  # documents: less are not worth a request of their own


class OpenSearch(Engine):
    """One index on a server."""

    capabilities = Capabilities(
        persistent=True, thread_safe=True, multi_process=True, server=True, quantization=True
    )
    IndexParams: ClassVar = IndexParams
    SearchParams: ClassVar = SearchParams

    def __init__(self, path: Path, index: BaseModel) -> None:
        assert isinstance(index, IndexParams)
        self._path, self._params, self._index = path, index, collection_name(path)
        self._search = f"/{self._index}/{wire.SEARCH}"
        self._http: HttpClient | None = None
        self.configure(SearchParams())

    @classmethod
    def version(cls) -> str:
        return f"opensearch-py {version('opensearch-py')}"

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
            raise EngineError(f"opensearch: there is no index {self._index} any more, create it again")
        if meta != self._params.mappings(schema)["_meta"]:
            raise EngineError(f"opensearch: {self._index} is an index of another schema, create it again")
        self._loading = False

    def _connect(self, schema: Schema) -> None:
        self.close()
        endpoint = Endpoint.of(_NAME)
        http = HttpClient(endpoint)
        http.warm()
        try:
            self._server = Server(endpoint)
        except BaseException:
            http.close()
            raise
        self._bulk = Bulk(_NAME, http, self._index, self._params.thread_count)
        self._schema, self._queries, self._decode = schema, Queries(schema), wire.decoder(schema.metric)
        self._http = http

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, SearchParams)
        self._factor, self._options = search.factor(self._params), search.options(self._params)
        if self._http is not None:
            self._http.warm()

    def index(self, batch: Batch) -> None:
        batch = prepared(batch, self._schema)
        chunks = self._chunks(len(batch), _CHUNK_BYTES // (4 * self._schema.dim))
        self._bulk.write(chunks, lambda rows: wire.upserts(_part(batch, rows), self._schema))

    def delete(self, ids: Ids) -> None:
        chunks = self._chunks(len(ids), self._params.chunk_size)
        self._bulk.write(chunks, lambda rows: wire.deletions(ids[rows]))

    def _chunks(self, rows: int, limit: int) -> list[slice]:
        """So large that there is one for each thread, within the limits."""
        share = max(_FEW, ceil(rows / self._params.thread_count))
        size = max(1, min(share, self._params.chunk_size, limit))
        return [slice(start, start + size) for start in range(0, rows, size)]

    def refresh(self) -> None:
        """See README.md. The first one after create() that finds items ends the loading."""
        self._server.refresh(self._index)
        if self._loading and self.count():
            self._server.set_refresh_interval(self._index, self._params.refresh_interval)
            if self._params.force_merge:
                self._server.merge(self._index)
            self._loading = False
        self._server.settle(self._index)

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        self._schema.require_dim(vector)
        condition = None if where is None else self._queries.translate(where)
        if exact:
            body = wire.script(vector, k, self._schema.metric, condition)
        else:
            candidates = max(k, min(ceil(k * self._factor), MOST_CANDIDATES))
            options = {"k": candidates, **self._options}
            body = wire.knn(vector, k, self._schema.metric, condition, options)
        return deferred(self._open.post(self._search, body), self._decode)

    def count(self) -> int:
        return int(orjson.loads(self._open.post(f"/{self._index}/_count", b""))["count"])

    def stats(self) -> EngineStats:
        size, segments = self._server.sizes(self._index)
        return EngineStats(
            self.count(),
            size,
            {"engine": self._params.engine, "segments": segments},
            server=f"OpenSearch {self._server.version}",
            retries=self._open.retries + self._bulk.retries,
        )

    def drop(self) -> None:
        server = Server(Endpoint.of(_NAME)) if self._http is None else self._server
        server.drop(self._index)
        if self._http is None:
            server.close()
        self.close()

    def close(self) -> None:
        if self._http is not None:
            self._bulk.close()
            self._server.close()
            self._http.close()
            self._http = None


def _part(batch: Batch, rows: slice) -> Batch:
    columns = {name: column[rows] for name, column in batch.attributes.items()}
    return Batch(batch.ids[rows], batch.vectors[rows], columns)
