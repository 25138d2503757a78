"""A stand-in for a Qdrant server, not a server: for its semantics and to check requests, never for timing.

A gRPC server made of the generated servicers, and an HTTP server (qdrant_stand_in_rest.py), on real sockets. Every
request is converted and validated by the client's own code and carried out in its local mode; what is unknown,
malformed or not needed by the adapter is refused.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet
from qdrant_client import grpc as messages
from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc

from engines.server.endpoint import variable
from tests.servers.qdrant_collections import EXISTS, INVALID, NOT_FOUND, Collections, RefusedError
from tests.servers.qdrant_stand_in_rest import Handler, RestFailure, serving

_CODES = {
    NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    EXISTS: grpc.StatusCode.ALREADY_EXISTS,
}
_KINDS = {
    messages.FieldType.FieldTypeKeyword: models.PayloadSchemaType.KEYWORD,
    messages.FieldType.FieldTypeInteger: models.PayloadSchemaType.INTEGER,
    messages.FieldType.FieldTypeFloat: models.PayloadSchemaType.FLOAT,
    messages.FieldType.FieldTypeBool: models.PayloadSchemaType.BOOL,
}


@dataclass(frozen=True, slots=True)
class Failure:
    """What a call is answered with instead of being carried out."""

    method: str
    code: grpc.StatusCode
    details: str = "injected"
    trailing: tuple[tuple[str, str], ...] = ()


@dataclass
class StandIn:
    """Both servers. failures: of the next calls of their methods, each used once."""

    collections: Collections = field(default_factory=Collections)
    failures: deque[Failure | RestFailure] = field(default_factory=deque)
    # What a write is answered with; a server says Acknowledged where it was not asked to wait.
    write_status: Any = messages.UpdateStatus.Completed
    url: str = ""
    grpc_port: int = 0

    @property
    def environ(self) -> dict[str, str]:
        """What the adapter finds it by."""
        return {variable("qdrant", "URL"): self.url, variable("qdrant", "GRPC_PORT"): str(self.grpc_port)}


class Guard(grpc.ServerInterceptor):  # type: ignore[misc]
    """Answers every call: refuses keys, failures and unknown fields, and serves one call at a time."""

    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in = stand_in

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        handler = continuation(details)
        if handler is None:
            return None
        method, metadata = details.method.rpartition("/")[2], dict(details.invocation_metadata)

        def answer(request: Message, context: grpc.ServicerContext) -> Any:
            return self._answer(handler.unary_unary, method, metadata, request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer, handler.request_deserializer, handler.response_serializer
        )

    def _answer(
        self, call: Any, method: str, metadata: dict[str, Any], request: Message, context: Any
    ) -> Any:
        collections = self._stand_in.collections
        with collections.lock:
            collections.asked.append(method)
            for failure in self._stand_in.failures:
                if isinstance(failure, Failure) and failure.method == method:
                    self._stand_in.failures.remove(failure)
                    context.set_trailing_metadata(failure.trailing)
                    context.abort(failure.code, failure.details)
            if collections.api_key is not None and metadata.get("api-key") != collections.api_key:
                context.abort(grpc.StatusCode.PERMISSION_DENIED, "Invalid API key or JWT")
            if unknown := unknown_fields(request):
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"unknown fields: {unknown}")
            try:
                return call(request, context)
            except RefusedError as error:
                context.abort(_CODES[error.kind], str(error))
            except (ValueError, TypeError) as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{type(error).__name__}: {error}")


def unknown_fields(message: Message) -> list[str]:
    """Fields, at any depth, that the generated types do not know."""
    found = [f"{type(message).__name__}.{unknown.field_number}" for unknown in UnknownFieldSet(message)]
    for descriptor, value in message.ListFields():
        if descriptor.message_type is None:
            continue
        if descriptor.message_type.GetOptions().map_entry:
            inner = [entry for entry in value.values() if isinstance(entry, Message)]
        else:
            inner = value if descriptor.is_repeated else [value]
        for part in inner:
            found += unknown_fields(part)
    return found


def refuse_set(request: Message, *allowed: str) -> None:
    """Refuses fields that the adapter has no reason to set."""
    stray = [descriptor.name for descriptor, _ in request.ListFields() if descriptor.name not in allowed]
    if stray:
        raise RefusedError(INVALID, f"the stand-in does not serve {type(request).__name__}.{stray}")


class Root(messages.QdrantServicer):  # type: ignore[misc]
    def __init__(self, collections: Collections) -> None:
        self._collections = collections

    def HealthCheck(self, request: Any, context: Any) -> Message:  # noqa: N802
        title = "qdrant - vector search engine"
        return messages.HealthCheckReply(title=title, version=self._collections.version)


class CollectionCalls(messages.CollectionsServicer):  # type: ignore[misc]
    def __init__(self, collections: Collections) -> None:
        self._collections = collections

    def Create(self, request: Any, context: Any) -> Message:  # noqa: N802
        given = {
            name: convert(getattr(request, name))
            for name, convert in {
                "hnsw_config": GrpcToRest.convert_hnsw_config_diff,
                "optimizers_config": GrpcToRest.convert_optimizers_config_diff,
                "quantization_config": GrpcToRest.convert_quantization_config,
            }.items()
            if request.HasField(name)
        }
        plain = ("shard_number", "replication_factor", "write_consistency_factor")
        refuse_set(request, "collection_name", "timeout", "vectors_config", "metadata", *given, *plain)
        if request.metadata:
            given["metadata"] = GrpcToRest.convert_payload(request.metadata)
        given |= {name: getattr(request, name) for name in plain if request.HasField(name)}
        vectors = GrpcToRest.convert_vectors_config(request.vectors_config)
        self._collections.create(request.collection_name, models.CreateCollection(vectors=vectors, **given))
        return messages.CollectionOperationResponse(result=True)

    def Delete(self, request: Any, context: Any) -> Message:  # noqa: N802
        return messages.CollectionOperationResponse(result=self._collections.drop(request.collection_name))

    def CollectionExists(self, request: Any, context: Any) -> Message:  # noqa: N802
        exists = messages.CollectionExists(exists=self._collections.exists(request.collection_name))
        return messages.CollectionExistsResponse(result=exists)

    def Get(self, request: Any, context: Any) -> Message:  # noqa: N802
        info = self._collections.info(request.collection_name)
        return messages.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(info))

    def Update(self, request: Any, context: Any) -> Message:  # noqa: N802
        refuse_set(request, "collection_name", "timeout", "optimizers_config")
        change = GrpcToRest.convert_update_collection(request)
        self._collections.update(request.collection_name, change)
        return messages.CollectionOperationResponse(result=True)


class PointCalls(messages.PointsServicer):  # type: ignore[misc]
    def __init__(self, stand_in: StandIn) -> None:
        self._stand_in, self._collections = stand_in, stand_in.collections

    def CreateFieldIndex(self, request: Any, context: Any) -> Message:  # noqa: N802
        refuse_set(request, "collection_name", "wait", "field_name", "field_type")
        self._collections.index(request.collection_name, request.field_name, _KINDS[request.field_type])
        return self._written(request)

    def Upsert(self, request: Any, context: Any) -> Message:  # noqa: N802
        refuse_set(request, "collection_name", "wait", "points")
        points = [GrpcToRest.convert_point_struct(point) for point in request.points]
        self._collections.upsert(request.collection_name, points)
        return self._written(request)

    def Delete(self, request: Any, context: Any) -> Message:  # noqa: N802
        refuse_set(request, "collection_name", "wait", "points")
        self._collections.delete(request.collection_name, GrpcToRest.convert_points_selector(request.points))
        return self._written(request)

    def _written(self, request: Any) -> Message:
        status = self._stand_in.write_status if request.wait else messages.UpdateStatus.Acknowledged
        return messages.PointsOperationResponse(result=messages.UpdateResult(operation_id=1, status=status))

    def Query(self, request: Any, context: Any) -> Message:  # noqa: N802
        converted = GrpcToRest.convert_query_points(request)
        points = self._collections.query(request.collection_name, converted)
        return messages.QueryResponse(result=[RestToGrpc.convert_scored_point(point) for point in points])

    def Count(self, request: Any, context: Any) -> Message:  # noqa: N802
        refuse_set(request, "collection_name", "exact")
        count = self._collections.count(request.collection_name, models.CountRequest(exact=request.exact))
        return messages.CountResponse(result=messages.CountResult(count=count))


@contextmanager
def standing_in(
    collections: Collections | None = None,
    credentials: Any = None,
    handler: type[Handler] = Handler,
    interceptors: tuple[grpc.ServerInterceptor, ...] = (),
) -> Iterator[StandIn]:
    """Both servers on free ports of 127.0.0.1. credentials: of a gRPC server that speaks TLS. handler, interceptors: of
    requests over REST, and of those over gRPC before all else.
    """
    stand_in = StandIn(collections or Collections())
    unlimited = [("grpc.max_receive_message_length", -1)]  # as in Qdrant
    server = grpc.server(
        ThreadPoolExecutor(8), interceptors=(*interceptors, Guard(stand_in)), options=unlimited
    )
    messages.add_QdrantServicer_to_server(Root(stand_in.collections), server)
    messages.add_CollectionsServicer_to_server(CollectionCalls(stand_in.collections), server)
    messages.add_PointsServicer_to_server(PointCalls(stand_in), server)
    if credentials is None:
        stand_in.grpc_port = server.add_insecure_port("127.0.0.1:0")
    else:
        stand_in.grpc_port = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    try:
        with serving(stand_in.collections, stand_in.failures, handler) as stand_in.url:
            yield stand_in
    finally:
        server.stop(None).wait()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Yields the URL and sets the variable of the gRPC port."""
    name = variable("qdrant", "GRPC_PORT")
    former = os.environ.get(name)
    with standing_in() as stand_in:
        os.environ[name] = str(stand_in.grpc_port)
        try:
            yield stand_in.url
        finally:
            os.environ.pop(name)
            if former is not None:
                os.environ[name] = former
