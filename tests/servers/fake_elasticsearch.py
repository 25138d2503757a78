"""A server of a few lines that answers the adapters of Elasticsearch and OpenSearch as it is told."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Answer = tuple[int, Any]
Handle = Callable[[str, str, bytes], Answer]


@contextmanager
def serving(
    handle: Handle, product: str | None = "Elasticsearch", certificate: tuple[Path, Path] | None = None
) -> Iterator[str]:
    """The URL of a server that answers as `handle` says for a method, path and body; with a certificate, over TLS."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # an answer goes out whole

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content = handle(self.command, self.path, body)
            text = b"" if self.command == "HEAD" else json.dumps(content).encode()
            self.send_response(status)
            if product is not None:
                self.send_header("X-Elastic-Product", product)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads, server.block_on_close = True, False
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"{'http' if certificate is None else 'https'}://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def node(version: str = "9.5.3", distribution: str | None = None, **more: Answer) -> Handle:
    """Answers the requests of create(), and those whose path's last part is in `more`. distribution: OpenSearch's."""

    def handle(method: str, path: str, body: bytes) -> Answer:
        last = path.partition("?")[0].rpartition("/")[2]
        if last in more:
            return more[last]
        if path == "/":
            return 200, {"version": {"number": version, "distribution": distribution}}
        if "_nodes" in path:
            return 200, {"nodes": {"n": {"version": version}}}
        if "_cluster/health" in path:
            return 200, {"timed_out": False}
        return 200, {"acknowledged": True}

    return handle
