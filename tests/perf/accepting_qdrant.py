"""A Qdrant that takes points and forgets them, a process of its own: what loading costs a client is what is left.

`python -m tests.perf.accepting_qdrant` prints its URL and its gRPC port. It is the stand-in of tests/servers but for
upserts, which are read to their end and answered in the true form, and neither parsed nor stored. `GET /taken` tells
how many came since it was asked last, and their bytes. Nothing about a server can be measured with it.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import orjson
from qdrant_client import grpc as messages

from tests.servers.qdrant_stand_in import standing_in
from tests.servers.qdrant_stand_in_rest import Handler

_ROOT = Path(__file__).parents[2]
_RESULT = {"operation_id": 1, "status": "completed"}
_BY_REST = orjson.dumps({"result": _RESULT, "status": "ok", "time": 1e-3})
_BY_GRPC = messages.PointsOperationResponse(
    result=messages.UpdateResult(operation_id=1, status=messages.UpdateStatus.Completed), time=1e-3
).SerializeToString()


class Taken:
    """What has come. Safe in threads."""

    def __init__(self) -> None:
        self._requests = self._bytes = 0
        self._lock = threading.Lock()

    def add(self, count: int) -> None:
        """A request of so many bytes."""
        with self._lock:
            self._requests += 1
            self._bytes += count

    def told(self) -> bytes:
        """Both counts, as JSON, which start anew."""
        with self._lock:
            told = orjson.dumps({"requests": self._requests, "bytes": self._bytes})
            self._requests = self._bytes = 0
        return told


class AcceptingHandler(Handler):
    """One connection over REST."""

    taken: Taken
    disable_nagle_algorithm = True  # an answer's body would wait for its head to be acknowledged, 40 ms

    def _accept(self) -> None:
        if not urlsplit(self.path).path.endswith("/points"):
            self._serve()
            return
        self.taken.add(len(self.rfile.read(int(self.headers["content-length"]))))
        self._send(200, _BY_REST)

    def _tell(self) -> None:
        if self.path == "/taken":
            self._send(200, self.taken.told())
        else:
            self._serve()

    do_PUT, do_GET = _accept, _tell  # noqa: N815


class Accepting(grpc.ServerInterceptor):  # type: ignore[misc]
    """Takes upserts over gRPC as bytes."""

    def __init__(self, taken: Taken) -> None:
        self._taken = taken

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        if details.method != "/qdrant.Points/Upsert":
            return continuation(details)
        return grpc.unary_unary_rpc_method_handler(self._accept)

    def _accept(self, request: bytes, context: Any) -> bytes:
        self._taken.add(len(request))
        return _BY_GRPC


@contextmanager
def accepting() -> Iterator[tuple[str, int]]:
    """Yields the URL and the gRPC port."""
    command = [sys.executable, "-m", "tests.perf.accepting_qdrant"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=_ROOT)
    assert server.stdout is not None
    try:
        url, port = server.stdout.readline().split()
        yield url, int(port)
    finally:
        server.kill()
        server.communicate()


def main() -> None:
    taken = Taken()
    handler = type("Bound", (AcceptingHandler,), {"taken": taken})
    with standing_in(handler=handler, interceptors=(Accepting(taken),)) as stand_in:
        print(stand_in.url, stand_in.grpc_port, flush=True)
        sys.stdin.read()  # until whoever started this one ends


if __name__ == "__main__":
    main()
