"""The REST half of Qdrant's stand-in: bodies are validated by the client's models, strictly."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, TypeVar
from urllib.parse import parse_qs, urlsplit

import orjson
from pydantic import BaseModel, ValidationError
from qdrant_client import models

from tests.servers.qdrant_collections import EXISTS, INVALID, NOT_FOUND, Collections, RefusedError

_STATUS = {NOT_FOUND: 404, INVALID: 400, EXISTS: 409}
_LARGEST_BYTES = 32 << 20
Body = TypeVar("Body", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class RestFailure:
    """What a request is answered with instead of being carried out; status 0: the connection is closed."""

    suffix: str
    status: int
    text: str = "injected"


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    wbufsize = -1  # an answer goes out whole; its body would wait for its head to be acknowledged, 40 ms
    collections: ClassVar[Collections]
    failures: ClassVar[deque[Any]]
    connections: ClassVar[list[socket.socket]]

    def setup(self) -> None:
        super().setup()
        self.connections.append(self.connection)

    def log_message(self, *_: Any) -> None:
        """Nothing on stderr."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        with self.collections.lock:
            target = urlsplit(self.path)
            self.collections.asked.append(f"{self.command} {target.path}")
            for failure in self.failures:
                if isinstance(failure, RestFailure) and target.path.endswith(failure.suffix):
                    self.failures.remove(failure)
                    self._fail(failure)
                    return
            key = self.collections.api_key
            if key is not None and self.headers.get("api-key") != key:
                self._send(401, b"Invalid API key or JWT")
                return
            if len(body) > _LARGEST_BYTES:
                self._send(
                    413, b"Payload error: JSON payload is larger than allowed (limit: 33554432 bytes)."
                )
                return
            self._answer(target.path, parse_qs(target.query), body)

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _serve  # noqa: N815

    def _fail(self, failure: RestFailure) -> None:
        if failure.status:
            self._send(failure.status, failure.text.encode())
        else:
            self.close_connection = True

    def _answer(self, path: str, query: dict[str, list[str]], body: bytes) -> None:
        try:
            result = Route(self.collections, query, body).answer(self.command, path)
        except RefusedError as error:
            self._send(_STATUS[error.kind], orjson.dumps({"status": {"error": str(error)}, "time": 0.0}))
        except (ValidationError, ValueError, TypeError) as error:
            self._send(400, orjson.dumps({"status": {"error": f"Format error: {error}"}, "time": 0.0}))
        else:
            whole = result if path == "/" else {"result": result, "status": "ok", "time": 0.0}
            self._send(200, orjson.dumps(whole))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@dataclass
class Route:
    """One request."""

    collections: Collections
    query: dict[str, list[str]]
    body: bytes

    def answer(self, method: str, path: str) -> Any:
        if (method, path) == ("GET", "/"):
            return {"title": "qdrant - vector search engine", "version": self.collections.version}
        root, _, rest = path.removeprefix("/").partition("/")
        name, _, rest = rest.partition("/")
        call: Callable[[str], Any] | None = {
            ("GET", ""): self._info,
            ("PUT", ""): self._create,
            ("PATCH", ""): self._update,
            ("DELETE", ""): self._drop,
            ("GET", "exists"): self._exists,
            ("GET", "optimizations"): self.collections.optimizations,
            ("PUT", "index"): self._index,
            ("POST", "points/query"): self._search,
            ("POST", "points/count"): self._count,
            ("PUT", "points"): self._upsert,
            ("POST", "points/delete"): self._delete,
        }.get((method, rest))
        if root != "collections" or not name or call is None:
            raise RefusedError(NOT_FOUND, f"the stand-in does not serve {method} {path}")
        return call(name)

    def _parsed(self, kind: type[Body], *allowed: str) -> Body:
        if stray := self.query.keys() - set(allowed):
            raise RefusedError(INVALID, f"unknown parameters {sorted(stray)}")
        return kind.model_validate_json(self.body, strict=True)

    def _info(self, name: str) -> Any:
        return self.collections.info(name).model_dump(mode="json", exclude_none=True)

    def _create(self, name: str) -> Any:
        self.collections.create(name, self._parsed(models.CreateCollection, "timeout"))
        return True

    def _update(self, name: str) -> Any:
        self.collections.update(name, self._parsed(models.UpdateCollection, "timeout"))
        return True

    def _drop(self, name: str) -> Any:
        return self.collections.drop(name)

    def _exists(self, name: str) -> Any:
        return {"exists": self.collections.exists(name)}

    def _index(self, name: str) -> Any:
        request = self._parsed(models.CreateFieldIndex, "wait")
        if not isinstance(request.field_schema, models.PayloadSchemaType):
            raise RefusedError(INVALID, f"the stand-in does not serve {request!r}")
        self.collections.index(name, request.field_name, request.field_schema)
        return self._written()

    def _written(self) -> dict[str, Any]:
        return {
            "operation_id": 1,
            "status": "completed" if self.query.get("wait") == ["true"] else "acknowledged",
        }

    def _search(self, name: str) -> Any:
        points = self.collections.query(name, self._parsed(models.QueryRequest))
        return {"points": [{"id": p.id, "version": p.version, "score": p.score} for p in points]}

    def _count(self, name: str) -> Any:
        return {"count": self.collections.count(name, self._parsed(models.CountRequest))}

    def _upsert(self, name: str) -> Any:
        self.collections.upsert(name, _points(self._parsed(models.PointsBatch, "wait").batch))
        return self._written()

    def _delete(self, name: str) -> Any:
        self.collections.delete(name, self._parsed(models.PointIdsList, "wait"))
        return self._written()


def _points(batch: models.Batch) -> list[models.PointStruct]:
    if not isinstance(batch.vectors, list) or batch.payloads is None:
        raise RefusedError(INVALID, "a batch needs vectors and payloads")
    rows = zip(batch.ids, batch.vectors, batch.payloads, strict=True)
    return [
        models.PointStruct(id=id_, vector=vector, payload=payload)  # type: ignore[arg-type]
        for id_, vector, payload in rows
    ]


@contextmanager
def serving(
    collections: Collections, failures: deque[Any], handler: type[Handler] = Handler
) -> Iterator[str]:
    """Yields the URL of a server on a free port of 127.0.0.1."""
    connections: list[socket.socket] = []
    shared = {"collections": collections, "failures": failures, "connections": connections}
    kind = type("Bound", (handler,), shared)
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
        for connection in connections:
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)
