"""One gRPC channel to a Milvus server: calls by the client's generated stubs, the status of each checked.

`MilvusClient` is not used: it caches schemas by address and name beyond a collection's life, retries without
saying so, and its search costs many times what the stub does (README.md).
"""

from __future__ import annotations

import re
import time
from base64 import b64encode
from collections.abc import Callable
from functools import partial
from typing import Any

import grpc  # type: ignore[import-untyped]
from pymilvus.grpc_gen import common_pb2, milvus_pb2, milvus_pb2_grpc  # type: ignore[import-untyped]

from engines.base import EngineError
from engines.grpc.pipeline import Pipeline
from engines.server.endpoint import REQUEST_TIMEOUT_S, Endpoint, variable
from engines.server.pauses import pause_after_loss
from engines.server.redaction import redact

PORT = 19530
_CONNECT_TIMEOUT_S = 5.0
_OLDEST = (2, 3)  # the first with upserts, count(*) and the metric COSINE
_NOT_SERVED = 503  # status code: no query node has the channel, as NoReplicaAvailable
_RATE_LIMITED = 8  # status code: refused before anything was done, so that it may be sent again
_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 3.0
_OPTIONS = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),  # else engines in one process share a TCP connection
    ("grpc.enable_retries", 0),  # retries are made, and counted, by us
    ("grpc.keepalive_time_ms", 10_000),  # a server that has vanished is noticed within 15 s
    ("grpc.keepalive_timeout_ms", 5_000),
]
_CREDENTIALS = (
    f"set {variable('milvus', 'USER')} and _PASSWORD, or _API_KEY for a token, to those of the server"
)
_REMEDIES = {
    grpc.StatusCode.UNAVAILABLE: f"is the server running, and is {variable('milvus', 'URL')} its address, with "
    "https:// exactly if it speaks TLS?",
    grpc.StatusCode.DEADLINE_EXCEEDED: "it did not answer in time; is it overloaded, or out of reach?",
    grpc.StatusCode.UNAUTHENTICATED: _CREDENTIALS,
    grpc.StatusCode.PERMISSION_DENIED: _CREDENTIALS,
    grpc.StatusCode.UNIMPLEMENTED: "is that the port of another service?",
}


class UnservedError(EngineError):
    """No query node serves the channel at the moment: it is being handed over, or its node is gone."""


class Connection:
    """A channel, safe in threads. Every method raises EngineError where the server refuses or cannot be reached.

    version: (major, minor) of the server. server: its name and version.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        """Connects within seconds, and checks credentials and version."""
        self.url, self.retries = endpoint.url, 0
        self._metadata = _authorization(endpoint)
        target = f"{endpoint.host}:{endpoint.port(PORT)}"
        if endpoint.secure:
            roots = None if endpoint.ca_certs is None else endpoint.ca_certs.read_bytes()
            credentials = grpc.ssl_channel_credentials(root_certificates=roots)
            self._channel = grpc.secure_channel(target, credentials, options=_OPTIONS)
        else:
            self._channel = grpc.insecure_channel(target, options=_OPTIONS)
        self._stub = milvus_pb2_grpc.MilvusServiceStub(self._channel)
        try:
            self.version, self.server = self._greeted()
        except EngineError:
            self.close()
            raise

    def _greeted(self) -> tuple[tuple[int, int], str]:
        request = milvus_pb2.GetVersionRequest()
        text = self.call("GetVersion", request, timeout_s=_CONNECT_TIMEOUT_S).version.removeprefix("v")
        # Anyone may ask for the version; this needs valid credentials.
        self.call("ShowCollections", milvus_pb2.ShowCollectionsRequest(), timeout_s=_CONNECT_TIMEOUT_S)
        numbers = re.match(r"(\d+)\.(\d+)", text)
        version = (int(numbers[1]), int(numbers[2])) if numbers else _OLDEST
        if version < _OLDEST:
            raise EngineError(
                f"milvus at {self.url}: version {text} is not supported, 2.3 is the oldest that is"
            )
        return version, f"Milvus {text}"

    def call(self, method: str, request: Any, *, timeout_s: float = REQUEST_TIMEOUT_S) -> Any:
        """The answer to a request; sent again, and counted, while the server refuses it for its rate."""
        return self._checked(method, request, None, timeout_s)

    def begin(self, method: str, request: Any) -> Callable[[], Any]:
        """Sends a request and returns what waits for its answer, as `call` does."""
        future = getattr(self._stub, method).future(
            request, timeout=REQUEST_TIMEOUT_S, metadata=self._metadata
        )
        return lambda: self._checked(method, request, future, REQUEST_TIMEOUT_S)

    def _checked(self, method: str, request: Any, sent: Any, timeout_s: float) -> Any:
        send = getattr(self._stub, method)
        deadline_s, pause_s = time.monotonic() + timeout_s, _PAUSE_S
        while True:
            try:
                reply = (
                    send(request, timeout=timeout_s, metadata=self._metadata)
                    if sent is None
                    else sent.result()
                )
            except grpc.RpcError as error:
                raise self.lost(method, error) from None
            status = reply if isinstance(reply, common_pb2.Status) else reply.status
            if status.code != _RATE_LIMITED and status.error_code != common_pb2.RateLimit:
                self.check(method, status)
                return reply
            if time.monotonic() + pause_s > deadline_s:
                self.check(method, status)
            self.retries += 1
            time.sleep(pause_s)
            sent, pause_s = None, min(2 * pause_s, _LONGEST_PAUSE_S)

    def search(self, request: Any) -> Any:
        """The answer to a search: `call` without what a query does not need."""
        try:
            reply = self._stub.Search(request, timeout=REQUEST_TIMEOUT_S, metadata=self._metadata)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.UNAVAILABLE:
                pause_after_loss()
            raise self.lost("Search", error) from None
        return self._searched(reply)

    def _searched(self, reply: Any) -> Any:
        status = reply.status
        if status.code or status.error_code:
            self.check("Search", status)
        return reply

    def searched(self, raw: bytes) -> Any:
        """The answer to a search that went through `pipeline`."""
        return self._searched(milvus_pb2.SearchResults.FromString(raw))

    def pipeline(self) -> Pipeline:
        """Takes searches without waiting for their answers."""
        search = self._channel.unary_unary(
            "/milvus.proto.milvus.MilvusService/Search", milvus_pb2.SearchRequest.SerializeToString
        )
        return Pipeline(search, partial(self.lost, "Search"), self._metadata, REQUEST_TIMEOUT_S)

    def check(self, method: str, status: Any) -> None:
        """Raises EngineError unless the status is one of success."""
        # Before 2.3 only error_code was set; where code is, error_code is 0 for errors that it cannot express.
        if status.code or status.error_code:
            number = status.code or status.error_code
            reason = redact(" ".join(status.reason.split())) or "no reason was given"
            unserved = status.code == _NOT_SERVED or status.error_code == common_pb2.NoReplicaAvailable
            kind = UnservedError if unserved else EngineError
            raise kind(f"milvus at {self.url}: {method}: {reason} (code {number})")

    def lost(self, method: str, error: grpc.RpcError) -> EngineError:
        """The error that reports a request without an answer."""
        code = error.code()
        remedy = _REMEDIES.get(code, "")
        text = redact(" ".join((error.details() or "").split()))
        return EngineError(
            f"milvus at {self.url}: {method}: {code.name}: {text}{'; ' if remedy else ''}{remedy}"
        )

    def close(self) -> None:
        """Closes the channel; a second call does nothing."""
        self._channel.close()


def _authorization(endpoint: Endpoint) -> tuple[tuple[str, str], ...]:
    token = endpoint.api_key
    if token is None and endpoint.user is not None and endpoint.password is not None:
        token = f"{endpoint.user}:{endpoint.password}"
    return () if token is None else (("authorization", b64encode(token.encode()).decode()),)
