"""Something between a caller and a service that passes requests on, and gets some answers wrong."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Change = Callable[[str, str, int, Any], tuple[int, Any]]


def as_it_is(_method: str, _path: str, status: int, answer: Any) -> tuple[int, Any]:
    return status, answer


@contextmanager
def relayed(
    url: str, change: Change = as_it_is, instead: Callable[[str, str], Any] = lambda *_: None
) -> Iterator[str]:
    """The address of a relay to `url`. change: method, path, status and JSON of an answer, into another of these.
    instead: what a request is answered with that is not passed on, None for one that is.
    """
    target = urlsplit(url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # an answer goes out whole

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            told = instead(self.command, self.path)
            if told is not None:
                self.send(200, {"content-type": "application/json"}, json.dumps(told).encode())
                return
            connection = http.client.HTTPConnection(str(target.hostname), target.port, timeout=30)
            connection.request(self.command, self.path, body, dict(self.headers.items()))
            got = connection.getresponse()
            content, kind = got.read(), got.headers.get("content-type", "")
            connection.close()
            status = got.status
            if kind.endswith("json") and self.path != "/openapi.json":
                status, changed = change(self.command, self.path, status, json.loads(content))
                content = json.dumps(changed).encode()
            if status != got.status:
                kind = "application/json" if status < 400 else "application/problem+json"
            kept = {
                name: value
                for name, value in got.headers.items()
                if name.lower() not in ("content-length", "content-type", "connection", "transfer-encoding")
            }
            self.send(status, {**kept, "content-type": kind}, content)

        def send(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_PUT = do_PATCH = do_POST = do_DELETE = answer  # noqa: N815 - as http.server looks for them

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True  # connections are kept open by who asks
    serving = threading.Thread(target=server.serve_forever, args=(0.05,))
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
