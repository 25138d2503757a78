"""Points over gRPC: the generated messages filled by hand, vectors copied into them as bytes.

The floats of a vector have the layout of a packed field already, and Protocol Buffers define the concatenation of
two serialised messages as their merge: so a query is a head that is the same every time, the vector, and the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import numpy as np
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from qdrant_client import grpc as messages
from qdrant_client import models
from qdrant_client.conversions.conversion import RestToGrpc

from engines.base import Batch, EngineError, FieldKind, Hits, Ids, Schema, Vectors
from engines.filters import Filter
from engines.grpc.pipeline import Pipeline
from engines.qdrant.failures import explained, of_grpc
from engines.qdrant.filters import GrpcConditions, as_filter
from engines.qdrant.points.payload import values
from engines.server.endpoint import REQUEST_TIMEOUT_S, Endpoint
from engines.server.pauses import pause_after_loss

CONNECT_TIMEOUT_S = 5.0
_REQUEST_BYTES = 16 << 20  # of vectors
_LIST = "list_value"
# The member of a payload's value that holds each kind.
_KINDS: dict[FieldKind, str] = {
    "keyword": "string_value",
    "tags": _LIST,
    "integer": "integer_value",
    "float": "double_value",
    "boolean": "bool_value",
}


class GrpcPoints:
    """The points of one collection. Safe in threads."""

    query_path = "qdrant-client's gRPC service, requests put together from bytes"
    retries = 0  # of its own

    def __init__(self, endpoint: Endpoint, port: int, name: str, schema: Schema) -> None:
        """No I/O. Raises EngineError for a key that cannot be sent."""
        self.server = f"qdrant: {endpoint.url} (gRPC port {port})"
        key = endpoint.api_key
        if key is not None and not (key.isascii() and key.isprintable()):
            raise EngineError(
                f"{self.server}: the API key must be printable ASCII; is there a stray line break?"
            )
        self._name, self._schema = name, schema
        self._conditions = GrpcConditions(schema)
        self._metadata = () if key is None else (("api-key", key),)
        self._channel = _channel(endpoint, port)
        # Without serializers: requests are bytes already, answers are decoded by us.
        self._query = self._channel.unary_unary("/qdrant.Points/Query")
        self._upsert = self._channel.unary_unary("/qdrant.Points/Upsert")
        self._delete = self._channel.unary_unary("/qdrant.Points/Delete")
        zeros = messages.DenseVector(data=[0.0] * schema.dim)
        nearest = messages.Query(nearest=messages.VectorInput(dense=zeros))
        vectors = messages.Vectors(vector=messages.Vector(dense=zeros))
        self._nearest = _head(messages.QueryPoints(query=nearest), schema)
        self._point = _head(messages.PointStruct(vectors=vectors), schema)

    def warm(self) -> None:
        """Connects. Raises EngineError where that fails."""
        with explained(self.server):
            stub = messages.QdrantStub(self._channel)  # type: ignore[no-untyped-call]
            stub.HealthCheck(
                messages.HealthCheckRequest(), timeout=CONNECT_TIMEOUT_S, metadata=self._metadata
            )

    def prepare(self, approximate: models.SearchParams, exact: models.SearchParams) -> None:
        """Sets what goes with every query."""
        self._heads = [self._query_head(params) for params in (approximate, exact)]

    def _query_head(self, params: models.SearchParams) -> bytes:
        request = messages.QueryPoints(
            collection_name=self._name,
            params=RestToGrpc.convert_search_params(params),
            with_payload=messages.WithPayloadSelector(enable=False),
            with_vectors=messages.WithVectorsSelector(enable=False),
        )
        return bytes(request.SerializeToString()) + self._nearest

    def query(self, vector: Vectors, k: int, where: Filter | None, *, exact: bool) -> Hits:
        """The nearest points."""
        try:
            answer = self._query(
                *self.asking(vector, k, where, exact=exact),
                timeout=REQUEST_TIMEOUT_S,
                metadata=self._metadata,
            )
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                pause_after_loss()
            raise of_grpc(self.server, error) from error
        return self.answered(answer)

    def asking(self, vector: Vectors, k: int, where: Filter | None, *, exact: bool) -> tuple[bytes]:
        """A query as a request."""
        matching = None if where is None else as_filter(self._conditions.translate(where))
        rest = messages.QueryPoints(limit=k, filter=matching)
        floats = np.asarray(vector, "<f4").tobytes()
        return (self._heads[exact] + floats + rest.SerializeToString(),)

    def answered(self, raw: bytes) -> Hits:
        """The hits in an answer."""
        return Hits(*(_squared if self._schema.metric == "l2" else _decoded)(raw))

    def pipeline(self) -> Pipeline:
        """Takes queries without waiting for their answers."""
        return Pipeline(self._query, partial(of_grpc, self.server), self._metadata, REQUEST_TIMEOUT_S)

    def upserts(self, batch: Batch, rows: int) -> Iterator[bytes]:
        """The batch as requests of at most so many rows."""
        rows = max(1, min(rows, _REQUEST_BYTES // (4 * self._schema.dim)))
        for start in range(0, len(batch), rows):
            yield self._request(batch, slice(start, start + rows))

    def _request(self, batch: Batch, rows: slice) -> bytes:
        columns = [
            (alias, _KINDS[self._schema.fields[position].kind], values(batch.attributes[name][rows], name))
            for position, (name, alias) in enumerate(self._schema.aliases.items())
        ]
        floats = np.ascontiguousarray(batch.vectors[rows], "<f4")
        request = messages.UpsertPoints(collection_name=self._name, wait=True)
        for row, id_ in enumerate(batch.ids[rows].tolist()):
            point = request.points.add()
            point.id.num = id_
            for alias, kind, column in columns:
                if (value := column[row]) is None:
                    continue
                if kind == _LIST:
                    words = [messages.Value(string_value=word) for word in value]
                    point.payload[alias].list_value.values.extend(words)
                else:
                    setattr(point.payload[alias], kind, value)
            point.MergeFromString(self._point + floats[row].tobytes())
        return bytes(request.SerializeToString())

    def upsert(self, request: bytes) -> None:
        """Returns once the points are in. Raises EngineError, BusyError where it may be tried again."""
        self._write(self._upsert, request)

    def delete(self, ids: Ids) -> None:
        """Returns once the points are gone. Raises as `upsert` does."""
        request = messages.DeletePoints(collection_name=self._name, wait=True)
        request.points.points.ids.extend(messages.PointId(num=id_) for id_ in ids.tolist())
        self._write(self._delete, request.SerializeToString())

    def _write(self, call: Callable[..., bytes], request: bytes) -> None:
        try:
            answer = call(request, timeout=REQUEST_TIMEOUT_S, metadata=self._metadata)
        except grpc.RpcError as error:
            raise of_grpc(self.server, error) from error
        status = messages.PointsOperationResponse.FromString(answer).result.status
        if status != messages.UpdateStatus.Completed:
            name = messages.UpdateStatus.Name(status)
            raise EngineError(f"{self.server}: a write was not completed, its status is {name}")

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()


def _channel(endpoint: Endpoint, port: int) -> grpc.Channel:
    settings = [
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        (
            "grpc.enable_retries",
            0,
        ),  # retries are made, and counted, by us; without gRPC's a query costs a quarter less here
        ("grpc.enable_http_proxy", 0),  # it would be measured as if it were the server
    ]
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    if not endpoint.secure:
        return grpc.insecure_channel(f"{host}:{port}", settings)
    trusted = None if endpoint.ca_certs is None else Path(endpoint.ca_certs).read_bytes()
    return grpc.secure_channel(f"{host}:{port}", grpc.ssl_channel_credentials(trusted), settings)


def _head(message: Any, schema: Schema) -> bytes:
    """A message that ends with a vector, without its floats."""
    return bytes(message.SerializeToString()[: -4 * schema.dim])


def _decoded(raw: bytes) -> tuple[Sequence[int], Sequence[float]]:
    try:
        points = messages.QueryResponse.FromString(raw).result
    except DecodeError as error:
        raise ValueError(f"qdrant: the answer is no QueryResponse ({error})") from error
    return [point.id.num for point in points], [point.score for point in points]


def _squared(raw: bytes) -> tuple[Sequence[int], Sequence[float]]:
    ids, distances = _decoded(raw)
    return ids, [distance * distance for distance in distances]  # Qdrant's is the root
