"""Servers that answer every query at once with the same bytes, each a process of its own on real sockets.

`python -m tests.perf.answering grpc|http|milvus HEX` prints the port. They do no work, so nothing about a server can be
measured with them; what a client spends on a query, its threads included, can.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[2]


@contextmanager
def answering(protocol: str, answer: bytes) -> Iterator[int]:
    """The port of a server on 127.0.0.1.

    protocol: `grpc` (any method), `http` (any request) or `milvus` (searches; all else as a Milvus that is idle).
    """
    command = [sys.executable, "-m", "tests.perf.answering", protocol, answer.hex()]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True, cwd=_ROOT)
    assert server.stdout is not None
    try:
        yield int(server.stdout.readline())
    finally:
        server.kill()
        server.communicate()


def _grpc(answer: bytes) -> int:
    import grpc

    class AnyMethod(grpc.GenericRpcHandler):
        def service(self, details: Any) -> Any:
            return grpc.unary_unary_rpc_method_handler(lambda request, context: answer)

    return _started(AnyMethod())


def _milvus(answer: bytes) -> int:
    from pymilvus.grpc_gen import milvus_pb2

    from tests.servers.fake_milvus import FakeMilvus

    found = milvus_pb2.SearchResults.FromString(answer)
    return _started(FakeMilvus(answers={"Search": lambda request: found}))


def _started(handler: Any) -> int:
    import grpc

    server = grpc.server(ThreadPoolExecutor(4), handlers=[handler])
    port: int = server.add_insecure_port("127.0.0.1:0")
    server.start()
    _KEPT.append(server)
    return port


_KEPT: list[Any] = []  # a server ends when nothing holds it


def _http(answer: bytes) -> int:
    listener = socket.create_server(("127.0.0.1", 0))
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(answer)

    def serve(connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting = b""
        while data := connection.recv(1 << 18):
            waiting += data
            while (end := waiting.find(b"\r\n\r\n")) >= 0:
                lowered = waiting[:end].lower()
                at = lowered.find(b"content-length:")
                length = int(lowered[at + 15 :].split(b"\r\n")[0]) if at >= 0 else 0
                if len(waiting) < end + 4 + length:
                    break
                waiting = waiting[end + 4 + length :]
                connection.sendall(head + answer)

    def accept() -> None:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return int(listener.getsockname()[1])


if __name__ == "__main__":
    found = {"grpc": _grpc, "http": _http, "milvus": _milvus}[sys.argv[1]](bytes.fromhex(sys.argv[2]))
    print(found, flush=True)
    sys.stdin.read()  # until whoever started this one ends
