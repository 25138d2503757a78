"""Between a client and a service: passes requests on, and may lie about the answers."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit


class Lies:
    """Serves each listing that was removed in the next answer, one hit outside the filter in every tenth, and keeps
    every tenth write to itself, acknowledged. Counts what it did.
    """

    def __init__(self) -> None:
        self.removed: list[str] = []
        self.sold = self.outside = self.unwritten = self._asked = self._put = 0
        self._lock = threading.Lock()

    def hides(self, method: str, path: str) -> bool:
        """Whether a request is not passed on, but acknowledged."""
        with self._lock:
            if method == "DELETE":
                self.removed.append(unquote(path.split("/")[3].partition("?")[0]))
            self._put += method == "PUT"
            if method != "PUT" or self._put % 10:
                return False
            self.unwritten += 1
            return True

    def change(self, answer: dict[str, Any]) -> None:
        """An answer to a question, in place."""
        with self._lock:
            self._asked += 1
            # Not the newest: its removal has to have been acknowledged for longer than is tolerated.
            if len(self.removed) > 20 and answer["hits"]:
                answer["hits"][-1]["id"] = self.removed[-20]
                self.sold += 1
            if self._asked % 10 == 0 and answer["hits"]:
                answer["hits"][0]["attributes"] = {"brand": "none", "price": -1.0}
                self.outside += 1


@contextmanager
def between(url: str, lies: Lies | None) -> Iterator[str]:
    """The address of one that asks the service at `url`; without lies it only passes on."""
    parts = urlsplit(url)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, *_: Any) -> None:
            pass

        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("content-length") or 0))
            if lies and lies.hides(self.command, self.path):
                status, body = 200, json.dumps({"outcome": "written", "searchable": True}).encode()
            else:
                connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=30)
                connection.request(
                    self.command, self.path, content, {"content-type": "application/json"} if content else {}
                )
                reply = connection.getresponse()
                status, body = reply.status, reply.read()
                connection.close()
                if lies and status == 200 and b'"hits"' in body:
                    changed = json.loads(body)
                    lies.change(changed)
                    body = json.dumps(changed).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_PUT = do_POST = do_DELETE = answer  # noqa: N815 - so they must be called

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    serving = threading.Thread(target=server.serve_forever, daemon=True)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
