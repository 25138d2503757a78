"""A Milvus of a few lines, for what a real one cannot be made to do: it answers as told and keeps what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from pymilvus.grpc_gen import common_pb2, milvus_pb2


@dataclass
class FakeMilvus(grpc.GenericRpcHandler):
    """answers: method -> what turns a request into the answer. asked: (method, request), oldest first."""

    version: str = "v2.5.0"
    answers: dict[str, Callable[[Any], Any]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    url: str = ""

    def service(self, details: Any) -> Any:
        """The handler of one call; gRPC's own interface."""
        method = details.method.rpartition("/")[2]
        kind = _requests()[method]

        def handle(request: Any, context: Any) -> Any:
            self.asked.append((method, request))
            if method in self.answers:
                reply = self.answers[method](request)
                return context.abort(*reply) if isinstance(reply, tuple) else reply
            return self._usual(method, request)

        return grpc.unary_unary_rpc_method_handler(
            handle, kind.FromString, lambda reply: reply.SerializeToString()
        )

    def _usual(self, method: str, request: Any) -> Any:
        """What a server answers that does everything at once and holds nothing."""
        kind, values = _ANSWERS[method]
        reply = kind(**values)
        if method == "GetVersion":
            reply.version = self.version
        elif method in ("Insert", "Upsert"):
            reply.insert_cnt = request.num_rows
        return reply

    def requests(self, method: str) -> list[Any]:
        """The requests to one method."""
        return [request for name, request in self.asked if name == method]

    @contextmanager
    def listening(self) -> Iterator[FakeMilvus]:
        """Serves on a free port of 127.0.0.1; `url` tells which."""
        server = grpc.server(ThreadPoolExecutor(4), handlers=[self])
        self.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield self
        finally:
            server.stop(None).wait()


_ANSWERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "AllocTimestamp": (milvus_pb2.AllocTimestampResponse, {}),
    "Connect": (milvus_pb2.ConnectResponse, {}),
    "CreateCollection": (common_pb2.Status, {}),
    "CreateIndex": (common_pb2.Status, {}),
    "Delete": (milvus_pb2.MutationResult, {"timestamp": 100}),
    "DescribeCollection": (milvus_pb2.DescribeCollectionResponse, {}),
    "DescribeIndex": (milvus_pb2.DescribeIndexResponse, {}),
    "DropCollection": (common_pb2.Status, {}),
    "Flush": (milvus_pb2.FlushResponse, {}),
    "GetCompactionState": (milvus_pb2.GetCompactionStateResponse, {"state": "Completed"}),
    "GetFlushState": (milvus_pb2.GetFlushStateResponse, {"flushed": True}),
    "GetLoadingProgress": (milvus_pb2.GetLoadingProgressResponse, {"progress": 100, "refresh_progress": 100}),
    "GetPersistentSegmentInfo": (milvus_pb2.GetPersistentSegmentInfoResponse, {}),
    "GetQuerySegmentInfo": (milvus_pb2.GetQuerySegmentInfoResponse, {}),
    "GetVersion": (milvus_pb2.GetVersionResponse, {}),
    "HasCollection": (milvus_pb2.BoolResponse, {}),
    "Insert": (milvus_pb2.MutationResult, {"timestamp": 100}),
    "LoadCollection": (common_pb2.Status, {}),
    "ManualCompaction": (milvus_pb2.ManualCompactionResponse, {}),
    "Query": (milvus_pb2.QueryResults, {"fields_data": [{"scalars": {"long_data": {"data": [0]}}}]}),
    "Search": (milvus_pb2.SearchResults, {}),
    "ShowCollections": (milvus_pb2.ShowCollectionsResponse, {}),
    "Upsert": (milvus_pb2.MutationResult, {"timestamp": 100}),
}


def _requests() -> dict[str, Any]:
    """Method -> the type of its request."""
    service = milvus_pb2.DESCRIPTOR.services_by_name["MilvusService"]
    pool = {**vars(milvus_pb2), **vars(common_pb2)}
    return {
        method.name: pool[method.input_type.name]
        for method in service.methods
        if method.input_type.name in pool
    }
