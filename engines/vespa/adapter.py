"""A Vespa server: its application from pyvespa's classes, documents and queries over plain HTTP."""

from __future__ import annotations

import time
from importlib.metadata import version
from pathlib import Path
from typing import ClassVar

import orjson
from pydantic import BaseModel

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
    Vectors,
)
from engines.filters import Filter
from engines.http.client import QUERY_PATH, HttpError
from engines.http.pipeline import Pipeline
from engines.server.endpoint import Endpoint
from engines.server.names import collection_name
from engines.server.pipelined import PipelinedQueries
from engines.values.columns import prepared
from engines.values.contents import require_contents
from engines.vespa.client import Client, Feeder
from engines.vespa.deployment import ConfigServer
from engines.vespa.package import noted, schema_text
from engines.vespa.params import IndexParams, SearchParams
from engines.vespa.queries import TIMEOUT, Queries, complete, ranked, total
from engines.vespa.values import NAMESPACE, Documents

_BATCH_BYTES = 16 << 20  # vectors that are made ready at a time
_READY_S = 60.0  # for the nodes to serve an application that every service has
_PAUSE_S = 0.25
_SEARCH = "/search/"


class Vespa(PipelinedQueries, Engine, Remote, FullText):
    """One schema, whose documents are items."""

    capabilities = Capabilities(
        persistent=True,
        durable=True,  # its transaction log is synced before a write is acknowledged
        immediate=True,
        thread_safe=True,
        thread_safe_writes=True,
        multi_process=True,
        pipelined=True,
        server=True,
        cluster=True,
        tags=True,
        missing=True,
        text=True,
    )
    IndexParams: ClassVar = IndexParams
    SearchParams: ClassVar = SearchParams

    def __init__(self, path: Path, index: BaseModel) -> None:
        assert isinstance(index, IndexParams)
        self._path, self._params = path, index
        self._client: Client | None = None
        self.configure(SearchParams())

    @classmethod
    def version(cls) -> str:
        return f"pyvespa {version('pyvespa')}"

    def create(self, schema: Schema) -> None:
        self.close()
        endpoint = Endpoint.of("vespa")
        config = ConfigServer.of(endpoint)
        try:
            config.check()
            name = config.create(
                collection_name(self._path),
                lambda name: schema_text(name, schema, self._params),
                self._params,
            )
        finally:
            config.close()
        self._connect(endpoint, name, schema)
        self._await_nodes()

    def open(self, schema: Schema) -> None:
        self.close()
        endpoint, collection = Endpoint.of("vespa"), collection_name(self._path)
        config = ConfigServer.of(endpoint)
        try:
            config.check()
            name = config.current(collection)
            if name is None:
                raise EngineError(f"vespa: {endpoint.url} holds no collection {collection}, create it first")
            held = noted(config.text(name))
            require_contents(f"vespa: {endpoint.url}: {name}", held, schema, self._params)
        finally:
            config.close()
        self._connect(endpoint, name, schema)
        self._probe()

    def _connect(self, endpoint: Endpoint, name: str, schema: Schema) -> None:
        self._schema, self._name, self._queries = schema, name, Queries(name, schema, self._search)
        self._documents = f"/document/v1/{NAMESPACE}/{name}/docid/"
        self._client = Client(endpoint)
        self._feeder = Feeder(self._client, self._params.max_workers)

    @property
    def _open(self) -> Client:
        assert self._client is not None, "create() or open() comes first"
        return self._client

    def _await_nodes(self) -> None:
        deadline = time.monotonic() + _READY_S
        while True:
            try:
                return self._probe()
            except EngineError as error:
                if time.monotonic() > deadline:
                    raise EngineError(f"vespa: not ready after {_READY_S:g} s: {error}") from error
            time.sleep(_PAUSE_S)

    def _probe(self) -> None:
        """Raises EngineError unless queries and documents are both answered; connects this thread."""
        self._server = str(orjson.loads(self._open.send("GET", "/state/v1/version"))["version"])
        self.count()
        try:
            self._open.send("GET", f"{self._documents}none?timeout=5s")
        except HttpError as error:
            if error.status != 404:
                raise

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, SearchParams)
        self._search = search
        if self._client is not None:
            self._queries.search = search
            self._client.warm()

    def index(self, batch: Batch) -> None:
        batch = prepared(batch, self._schema)
        size = max(1, _BATCH_BYTES // (4 * self._schema.dim))
        for start in range(0, len(batch), size):
            self._put(Documents(batch, self._schema, slice(start, start + size)))

    def _put(self, documents: Documents) -> None:
        ids = documents.ids
        self._feeder.run(len(ids), lambda row: ("POST", self._target(ids[row]), documents.body(row)))

    def _target(self, id_: int) -> str:
        return f"{self._documents}{id_}?timeout={TIMEOUT}"

    def refresh(self) -> None:
        """Checks that all nodes answer: an acknowledged write is searchable, its place in the graph included."""
        self.count()

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        return self._answered(self._open.post(*self._asking(vector, k, where, exact=exact)))

    def _asking(
        self, vector: Vectors, k: int, where: Filter | None, *, exact: bool = False
    ) -> tuple[str, bytes]:
        return _SEARCH, self._queries.nearest(vector, k, where, exact=exact)

    def _answered(self, raw: bytes) -> Hits:
        return Hits(*self._queries.hits(complete(raw)))

    def _transport(self) -> Pipeline:
        return Pipeline(self._open)

    def match(self, text: str, k: int, where: Filter | None = None) -> Hits:
        body = self._queries.words(text, k, where)
        return Hits(*ranked(complete(self._open.post(_SEARCH, body))))

    def delete(self, ids: Ids) -> None:
        self._feeder.run(len(ids), lambda row: ("DELETE", self._target(int(ids[row])), b""))

    def count(self) -> int:
        return total(complete(self._open.post(_SEARCH, self._queries.all())))

    def stats(self) -> EngineStats:
        retries = self._open.retries + self._feeder.retries
        details, server = {"schema": self._name}, f"Vespa {self._server}"
        return EngineStats(self.count(), None, details, server, retries, QUERY_PATH)

    def drop(self) -> None:
        self.close()
        config = ConfigServer.of(Endpoint.of("vespa"))
        try:
            config.drop(collection_name(self._path), self._params)
        finally:
            config.close()

    def close(self) -> None:
        self._end_flights()
        if self._client is not None:
            self._feeder.close()
            self._client.close()
            self._client = None
