"""An index of Elasticsearch or OpenSearch: all that the two adapters have in common."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

import orjson

from engines.abilities import FullText, Remote
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
from engines.http.client import QUERY_PATH, HttpClient
from engines.http.pipeline import Pipeline
from engines.lucene.bulk import Bulk
from engines.lucene.documents import decoder, deletions, matching, ranked, upserts, vector_json
from engines.lucene.filters import Queries, Query
from engines.lucene.params import LuceneParams
from engines.server.endpoint import Endpoint
from engines.server.names import collection_name
from engines.server.ownership import MARK
from engines.server.pipelined import PipelinedQueries
from engines.values.columns import prepared
from engines.values.contents import require_contents
from engines.values.vectors import require_query

Params = TypeVar("Params", bound=LuceneParams)
_CHUNK_BYTES = 8 << 20  # of vectors in one bulk request; their JSON is up to three times as long


class LuceneIndex(PipelinedQueries, Engine, Remote, FullText, Generic[Params]):
    """One index on a server."""

    capabilities = Capabilities(
        persistent=True,
        durable=True,  # index.translog.durability is `request` unless an administrator has changed it
        thread_safe=True,
        thread_safe_writes=True,
        multi_process=True,
        pipelined=True,
        server=True,
        cluster=True,
        text=True,
        tags=True,
        missing=True,
        quantization=True,
    )
    NAME: ClassVar[str]  # the engine's name in the registry
    PRODUCT: ClassVar[str]
    SEARCH: ClassVar[str]  # path of a search, below the index
    SERVER: ClassVar[type[Any]]  # every other request, through the official client
    QUERIES: ClassVar[type[Queries]] = Queries

    def __init__(self, path: Path, params: Params) -> None:
        self._params, self._index = params, collection_name(path)
        self._search = f"/{self._index}/{self.SEARCH}"
        self._http: HttpClient | None = None

    @property
    def _open(self) -> HttpClient:
        assert self._http is not None, "create() or open() comes first"
        return self._http

    def create(self, schema: Schema) -> None:
        self._connect(schema)
        self._server.create(self._index, self._params.mappings(schema), self._params.settings())
        self._loading = True

    def open(self, schema: Schema) -> None:
        self._connect(schema)
        meta = self._server.meta(self._index)
        if meta is None:
            raise EngineError(f"{self.NAME}: there is no index {self._index} any more, create it again")
        require_contents(f"{self.NAME}: {self._index}", meta.get(MARK), schema, self._params)
        self._loading = False

    def _connect(self, schema: Schema) -> None:
        self.close()
        endpoint = Endpoint.of(self.NAME)
        http = HttpClient(endpoint)
        http.warm()  # fails with one line on what is wrong with address or certificate
        try:
            self._server = self.SERVER(endpoint)
        except BaseException:
            http.close()
            raise
        self._bulk = Bulk(self.NAME, http, self._index, self._params.thread_count)
        self._schema, self._queries, self._decode = schema, self.QUERIES(schema), decoder(schema.metric)
        self._pack = self._packing()
        self._http = http

    def _packing(self) -> Callable[[Vectors], bytes]:
        """The function that writes a vector as JSON in the form that this server's version accepts."""
        return vector_json

    def _warm(self) -> None:
        if self._http is not None:
            self._http.warm()

    def index(self, batch: Batch) -> None:
        batch = prepared(batch, self._schema)
        most = min(self._params.chunk_size, _CHUNK_BYTES // (4 * self._schema.dim))
        self._bulk.write(len(batch), most, lambda rows: upserts(batch[rows], self._schema, self._pack))

    def delete(self, ids: Ids) -> None:
        self._bulk.write(len(ids), self._params.chunk_size, lambda rows: deletions(ids[rows]))

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
        return self._answered(self._open.post(*self._asking(vector, k, where, exact=exact)))

    def _asking(
        self, vector: Vectors, k: int, where: Filter | None, *, exact: bool = False
    ) -> tuple[str, bytes]:
        require_query(vector, self._schema)
        return self._search, self._neighbours(vector, k, self._condition(where), exact=exact)

    def _answered(self, raw: bytes) -> Hits:
        return Hits(*self._decode(raw))

    def _transport(self) -> Pipeline:
        return Pipeline(self._open)

    @abstractmethod
    def _neighbours(self, vector: Vectors, k: int, condition: Query | None, *, exact: bool) -> bytes:
        """The body of a search for neighbours."""

    def match(self, text: str, k: int, where: Filter | None = None) -> Hits:
        if self._schema.text is None:
            raise UnsupportedError(f"{self.NAME}: the collection has no text")
        body = matching(text, k, self._condition(where))
        return Hits(*ranked(self._open.post(self._search, body)))

    def _condition(self, where: Filter | None) -> Query | None:
        return None if where is None else self._queries.translate(where)

    def count(self) -> int:
        return int(orjson.loads(self._open.post(f"/{self._index}/_count", b""))["count"])

    def stats(self) -> EngineStats:
        size, segments = self._server.sizes(self._index)
        return EngineStats(
            self.count(),
            size,
            {**self._details(), "segments": segments},
            server=f"{self.PRODUCT} {self._server.version}",
            retries=self._open.retries + self._bulk.retries,
            query_path=QUERY_PATH,
        )

    def _details(self) -> dict[str, str]:
        return {}

    def drop(self) -> None:
        server = self.SERVER(Endpoint.of(self.NAME)) if self._http is None else self._server
        server.drop(self._index)
        if self._http is None:
            server.close()
        self.close()

    def close(self) -> None:
        self._end_flights()
        if self._http is not None:
            self._bulk.close()
            self._server.close()
            self._http.close()
            self._http = None
