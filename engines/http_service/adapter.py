"""The reference service over HTTP, with any other engine behind it."""

from __future__ import annotations

import time
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, ClassVar

import msgspec
import numpy as np
from pydantic import BaseModel

from engines.abilities import Lookup
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
from engines.http.client import HttpClient, HttpError
from engines.http_service.documents import batch_of, check_written, hits, puts, question, removals
from engines.http_service.filters import Conditions
from engines.http_service.params import IndexParams, SearchParams
from engines.http_service.process import ServiceProcess
from engines.http_service.settings import LONGEST_MS, settings
from engines.server.endpoint import Endpoint
from engines.values import disk
from engines.values.columns import prepared
from engines.values.vectors import require_query

_ASK, _BULK = "/v1/recommendations", "/v1/listings:bulk"
_DATA = "served"  # the service's folder, below the engine's
_REFUSED, _NOT_THERE = 422, 404
_WORN_ROWS = 1000  # from which on a service rebuilds its index by itself
_UNDER_WAY, _LOOK_S = b"a rebuild is under way", 0.05


class HttpService(Engine, Lookup):
    """One service of its own. Items are listings under their ids as text; the service numbers them anew."""

    capabilities = Capabilities(
        persistent=True,
        durable=True,
        thread_safe=True,
        thread_safe_writes=True,
        lookup=True,
        tags=True,
        missing=True,
        quantization=True,
    )
    IndexParams: ClassVar = IndexParams
    SearchParams: ClassVar = SearchParams

    def __init__(self, path: Path, index: BaseModel) -> None:
        assert isinstance(index, IndexParams)
        self._path, self._params = path, index
        behind = index.behind
        self.capabilities = replace(
            type(self).capabilities,
            metrics=behind.metrics,
            prefilter=behind.prefilter,
            exact=behind.exact,
            exact_scores=behind.exact_scores,
            tags=behind.tags,
            missing=behind.missing,
            quantization=behind.quantization,
        )
        self._service: ServiceProcess | None = None

    @classmethod
    def version(cls) -> str:
        """Bakeoff's own, and that of the server below it."""
        return f"bakeoff {version('bakeoff')}, uvicorn {version('uvicorn')}"

    def create(self, schema: Schema) -> None:
        self.close()
        disk.begin(self._path, schema, self._params)
        self._start(schema)

    def open(self, schema: Schema) -> None:
        self.close()
        disk.verify(self._path, schema, self._params)
        self._start(schema)

    def _start(self, schema: Schema) -> None:
        data = self._path.absolute() / _DATA
        self._service = ServiceProcess(self._path.absolute(), settings(schema, self._params, data))
        self._http = HttpClient(Endpoint(self._service.url), timeout_s=LONGEST_MS / 1000)
        self._schema, self._conditions = schema, Conditions(schema)
        self._unsettled = 0  # rows written since the index was last put in order

    def configure(self, search: BaseModel) -> None:
        pass

    def index(self, batch: Batch) -> None:
        batch = prepared(batch, self._schema)
        for body in puts(batch, self._schema):
            check_written(self._http.post(f"{_BULK}?operation=put", body))
        self._unsettled += len(batch)

    def delete(self, ids: Ids) -> None:
        for body in removals(ids):
            check_written(self._http.post(f"{_BULK}?operation=remove", body), absent_is_fine=True)
        self._unsettled += len(ids)

    def refresh(self) -> None:
        """Waits until the index shows all that the catalogue holds. After many writes it is rebuilt, which the service
        would begin by itself sooner or later, and then in the middle of a measurement.
        """
        if not check_written(self._http.post(f"{_BULK}?wait=searchable", b"[]")):
            raise EngineError("http-service: what was written has not become searchable in time")
        if self._unsettled >= _WORN_ROWS and 2 * self._unsettled >= self.count():
            while not self._rebuilt():
                time.sleep(_LOOK_S)
            self._unsettled = 0
        # What the service keeps in memory of the catalogue it reads before it answers the next question.
        self.query(np.ones(self._schema.dim, np.float32), 1)

    def _rebuilt(self) -> bool:
        """Has the index rebuilt; False where a rebuild was under way already, which may have begun too early."""
        try:
            self._http.post("/v1/index:rebuild", b"")
        except HttpError as error:
            if _UNDER_WAY not in error.body:
                raise
            return False
        return True

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        if exact and not self.capabilities.exact:
            raise UnsupportedError(f"http-service: {self._params.engine} has no exact search")
        require_query(vector, self._schema)
        condition = None if where is None else self._conditions.translate(where)
        try:
            raw = self._http.post(_ASK, question(vector, k, condition, exact=exact))
        except HttpError as error:
            if error.status != _REFUSED or condition is None:
                raise
            # Conditions that exclude each other are refused unless they stand below a negation. Anything else that is
            # wrong is refused once more.
            hidden = {"not": {"not": condition}}
            raw = self._http.post(_ASK, question(vector, k, hidden, exact=exact))
        return hits(raw, self._schema.metric)

    def get(self, ids: Ids) -> Batch:
        found = []
        for id_ in dict.fromkeys(ids.tolist()):
            try:
                found.append(self._http.send("GET", f"/v1/listings/{id_}?vector=true"))
            except HttpError as error:
                if error.status != _NOT_THERE:
                    raise
        return batch_of(found, self._schema)

    def count(self) -> int:
        return int(self._about()["listings"])

    def _about(self) -> dict[str, Any]:
        about: dict[str, Any] = msgspec.json.decode(self._http.send("GET", "/v1/service"))
        return about

    def stats(self) -> EngineStats:
        about = self._about()
        details = {"engine": self._params.engine, "generation": str(about["index"]["generation"])}
        return EngineStats(
            int(about["listings"]), disk.used_bytes(self._path), details, retries=self._http.retries
        )

    def close(self) -> None:
        if self._service is not None:
            self._http.close()
            self._service.stop()
            self._service = None
