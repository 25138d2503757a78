"""Points over REST: JSON by orjson, which reads NumPy arrays, through the HTTP client that engines share."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import orjson
from qdrant_client import models

from engines.base import Batch, EngineError, Hits, Ids, Schema, Vectors
from engines.filters import Filter
from engines.http.client import QUERY_PATH, HttpClient
from engines.http.pipeline import Pipeline
from engines.qdrant.failures import of_http
from engines.qdrant.filters import RestConditions, as_json
from engines.qdrant.points.payload import of_row, values
from engines.server.endpoint import Endpoint

_REQUEST_BYTES = 16 << 20  # the server takes 32 MiB
_FLOAT_BYTES = 13  # of a float32 in JSON, with its comma, at most but for tiny and huge ones


class RestPoints:
    """The points of one collection. Safe in threads."""

    query_path = QUERY_PATH

    def __init__(self, endpoint: Endpoint, name: str, schema: Schema) -> None:
        """No I/O."""
        self.server = f"qdrant: {endpoint.url}"
        self._schema, self._conditions = schema, RestConditions(schema)
        headers = {} if endpoint.api_key is None else {"api-key": endpoint.api_key}
        self._http = HttpClient(replace(endpoint, api_key=None), headers)
        self._query_target = f"/collections/{name}/points/query"
        # Not points/batch: a server would parse one more layer around the points (README.md, "Loading").
        self._upsert_target = f"/collections/{name}/points?wait=true"
        self._delete_target = f"/collections/{name}/points/delete?wait=true"

    @property
    def retries(self) -> int:
        """Requests sent again because the server had closed a connection that was idle."""
        return self._http.retries

    def warm(self) -> None:
        """Connects. Raises EngineError where that fails."""
        self._http.warm()

    def prepare(self, approximate: models.SearchParams, exact: models.SearchParams) -> None:
        """Sets what goes with every query."""
        self._params = [params.model_dump(mode="json", exclude_none=True) for params in (approximate, exact)]

    def query(self, vector: Vectors, k: int, where: Filter | None, *, exact: bool) -> Hits:
        """The nearest points."""
        return self.answered(self._http.post(*self.asking(vector, k, where, exact=exact)))

    def answered(self, raw: bytes) -> Hits:
        """The hits in an answer."""
        return Hits(*(_squared if self._schema.metric == "l2" else _decoded)(raw))

    def asking(self, vector: Vectors, k: int, where: Filter | None, *, exact: bool) -> tuple[str, bytes]:
        """Target and body of a query."""
        request: dict[str, Any] = {
            "query": np.ascontiguousarray(vector),
            "limit": k,
            "params": self._params[exact],
            "with_payload": False,
            "with_vector": False,
        }
        if where is not None:
            request["filter"] = as_json(self._conditions.translate(where))
        return self._query_target, _json(request)

    def pipeline(self) -> Pipeline:
        """Takes queries without waiting for their answers."""
        return Pipeline(self._http)

    def upserts(self, batch: Batch, rows: int) -> Iterator[bytes]:
        """The batch as requests of at most so many rows."""
        rows = max(1, min(rows, _REQUEST_BYTES // (_FLOAT_BYTES * self._schema.dim)))
        for start in range(0, len(batch), rows):
            yield from self._requests(batch, slice(start, min(start + rows, len(batch))))

    def _requests(self, batch: Batch, rows: slice) -> Iterator[bytes]:
        columns = {
            alias: values(batch.attributes[name][rows], name) for name, alias in self._schema.aliases.items()
        }
        count = rows.stop - rows.start
        points = {
            "ids": batch.ids[rows].tolist(),
            "vectors": np.ascontiguousarray(batch.vectors[rows]),
            "payloads": [of_row(columns, row) for row in range(count)],
        }
        request = _json({"batch": points})
        if len(request) <= _REQUEST_BYTES or count == 1:
            yield request
            return
        middle = rows.start + count // 2
        yield from self._requests(batch, slice(rows.start, middle))
        yield from self._requests(batch, slice(middle, rows.stop))

    def upsert(self, request: bytes) -> None:
        """Returns once the points are in. Raises EngineError, BusyError where it may be tried again."""
        self._write("PUT", self._upsert_target, request)

    def delete(self, ids: Ids) -> None:
        """Returns once the points are gone. Raises as `upsert` does."""
        self._write("POST", self._delete_target, _json({"points": ids.tolist()}))

    def _write(self, method: str, target: str, request: bytes) -> None:
        try:
            answer = orjson.loads(self._http.send(method, target, request))
        except EngineError as error:
            raise of_http(error) from error
        status = answer["result"].get("status")
        if status != "completed":
            raise EngineError(f"{self.server}: a write was not completed, its status is {status}")

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()


def _json(request: dict[str, Any]) -> bytes:
    return orjson.dumps(request, option=orjson.OPT_SERIALIZE_NUMPY)


def _decoded(raw: bytes) -> tuple[Sequence[int], Sequence[float]]:
    try:
        points = orjson.loads(raw)["result"]["points"]
        return [point["id"] for point in points], [point["score"] for point in points]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"qdrant: the answer is no list of points ({error!r})") from error


def _squared(raw: bytes) -> tuple[Sequence[int], Sequence[float]]:
    ids, distances = _decoded(raw)
    return ids, [distance * distance for distance in distances]  # Qdrant's is the root
