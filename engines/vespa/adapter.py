"""A Vespa server: its application from pyvespa's classes, documents and queries over plain HTTP."""

from __future__ import annotations

import time
from collections.abc import Sequence
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
    Remote,
    Schema,
    Vectors,
)
from engines.columns import prepared
from engines.filters import Filter
from engines.http import HttpError
from engines.server import REQUEST_TIMEOUT_S, Endpoint, collection_name, deferred
from engines.vespa.client import Client, Feeder, Operation
from engines.vespa.deployment import ConfigServer
from engines.vespa.filters import Yql
from engines.vespa.package import PROFILE, SUMMARY, schema_text
from engines.vespa.params import IndexParams, SearchParams
from engines.vespa.values import NAMESPACE, columns, stored

_BATCH_BYTES = 16 << 20  # vectors that are made ready at a time
_READY_S = 60.0  # for the nodes to serve an application that every service has
_PAUSE_S = 0.25
_TIMEOUT = f"{REQUEST_TIMEOUT_S - 5:g}s"  # before the connection's own, so that Vespa says what took so long


class Vespa(Engine, Remote):
    """One schema, whose documents are items."""

    capabilities = Capabilities(server=True, multi_process=True, thread_safe=True, persistent=True)
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
        disk.begin(self._path, schema, self._params)
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
        disk.verify(self._path, schema, self._params)
        endpoint, collection = Endpoint.of("vespa"), collection_name(self._path)
        config = ConfigServer.of(endpoint)
        try:
            config.check()
            name = config.current(collection)
        finally:
            config.close()
        if name is None:
            raise EngineError(f"vespa: {endpoint.url} holds no collection {collection}, create it first")
        self._connect(endpoint, name, schema)
        self._probe()

    def _connect(self, endpoint: Endpoint, name: str, schema: Schema) -> None:
        self._schema, self._name, self._yql = schema, name, Yql(schema)
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
            self._open.send("GET", f"{self._documents}none")
        except HttpError as error:
            if error.status != 404:
                raise

    def configure(self, search: BaseModel) -> None:
        assert isinstance(search, SearchParams)
        self._explore = search.exploreAdditionalHits
        options = {
            "ranking.profile": PROFILE,
            "ranking.softtimeout.enable": False,  # late answers are errors, not shorter
            "presentation.summary": SUMMARY,
            "timeout": _TIMEOUT,
            **search.matching,
        }
        self._options = orjson.dumps(options)[1:-1]

    def index(self, batch: Batch) -> None:
        batch = prepared(batch, self._schema)
        size = max(1, _BATCH_BYTES // (4 * self._schema.dim))
        for start in range(0, len(batch), size):
            rows = slice(start, start + size)
            ids, values = batch.ids[rows].tolist(), columns(batch, self._schema, rows)
            cells, width = (
                stored(batch.vectors[rows], self._schema).astype(">f4").tobytes().hex(),
                8 * self._schema.dim,
            )

            def put(
                row: int,
                ids: list[int] = ids,
                values: dict[str, list[Any]] = values,
                cells: str = cells,
                width: int = width,
            ) -> Operation:
                fields: dict[str, Any] = {name: column[row] for name, column in values.items()}
                fields["id"], fields["embedding"] = (
                    ids[row],
                    {"values": cells[row * width : (row + 1) * width]},
                )
                return "POST", self._target(ids[row]), orjson.dumps({"fields": fields})

            self._feeder.run(len(ids), put)

    def _target(self, id_: int) -> str:
        return f"{self._documents}{id_}?timeout={_TIMEOUT}"

    def refresh(self) -> None:
        """Checks that all nodes answer: an acknowledged write is searchable, its place in the graph included."""
        self.count()

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        near = "approximate: false" if exact else f'"hnsw.exploreAdditionalHits": {self._explore}'
        condition = "" if where is None else f" and {self._yql.translate(where)}"
        yql = (
            f"select id from {self._name} where "
            f"({{targetHits: {k}, {near}}}nearestNeighbor(embedding, q)){condition}"
        )
        cells = orjson.dumps(stored(vector, self._schema), option=orjson.OPT_SERIALIZE_NUMPY)
        parts = (
            b'{"yql":',
            orjson.dumps(yql),
            b',"input.query(q)":',
            cells,
            b',"hits":%d,' % k,
            self._options,
            b"}",
        )
        return deferred(self._answer(b"".join(parts)), self._decode)

    def _answer(self, body: bytes) -> bytes:
        """The answer to a query. Raises EngineError where it is not that of all nodes over all documents."""
        answer = self._open.post("/search/", body)
        # No text of ours is in it, so that these can only be Vespa's own words.
        if b'"errors":' in answer or b'"full":false' in answer or b'"degraded":' in answer:
            root = orjson.loads(answer)["root"]
            raise EngineError(f"vespa: incomplete answer: {root.get('errors') or root.get('coverage')}")
        return answer

    def _decode(self, answer: bytes) -> tuple[Sequence[int], Sequence[float]]:
        sign = -1 if self._schema.metric == "l2" else 1
        hits = orjson.loads(answer)["root"].get("children", [])
        try:
            return [hit["fields"]["id"] for hit in hits], [sign * hit["relevance"] for hit in hits]
        except KeyError as error:
            raise ValueError(f"vespa: a hit lacks {error}: {answer[:500]!r}") from None

    def delete(self, ids: Ids) -> None:
        self._feeder.run(len(ids), lambda row: ("DELETE", self._target(int(ids[row])), b""))

    def count(self) -> int:
        body = {"yql": f"select id from {self._name} where true", "hits": 0, "ranking.profile": "unranked"}
        answer = self._answer(orjson.dumps({**body, "timeout": _TIMEOUT}))
        return int(orjson.loads(answer)["root"]["fields"]["totalCount"])

    def stats(self) -> EngineStats:
        retries = self._open.retries + self._feeder.retries
        return EngineStats(self.count(), None, {"schema": self._name}, f"Vespa {self._server}", retries)

    def drop(self) -> None:
        self.close()
        config = ConfigServer.of(Endpoint.of("vespa"))
        try:
            config.drop(collection_name(self._path), self._params)
        finally:
            config.close()

    def close(self) -> None:
        if self._client is not None:
            self._feeder.close()
            self._client.close()
            self._client = None
