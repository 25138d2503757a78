"""A stand-in for Vespa, which cannot be had without its image: HTTP as documented, refusing whatever is not.

It answers as Vespa's documentation of the query, document and deploy APIs says, from documents in memory that it
searches exactly, whether or not an approximate answer would do. It shows that requests are right and answers read
right; it says nothing of Vespa's speed, recall or bugs.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit
from xml.etree import ElementTree

from engines.server.endpoint import variable
from tests.servers.vespa_search import DURATION, found, most_hits
from tests.servers.vespa_store import RefusedError, Schema, deployed, unpacked
from tests.servers.vespa_yql import QueryError

VERSION = "8.0-stand-in"
_TENANT = "/application/v2/tenant/default"
_ACTIVE = f"{_TENANT}/application/default/environment/prod/region/default/instance/default"
_DOCUMENT = re.compile(r"/document/v1/(\w+)/(\w+)/docid/(.+)")


class RefusalError(Exception):
    """An answer other than 200. body: in the words of the API that was asked."""

    def __init__(self, status: int, body: dict[str, Any]) -> None:
        super().__init__(status, body)
        self.status, self.body = status, body


class StandIn:
    """The state behind the ports. busy: statuses with which the next writes are refused. seen: requests by kind."""

    def __init__(self, version: str = "8.700.24") -> None:
        self.version, self.lock = version, Lock()
        self.files: dict[str, bytes] = {}
        self.schemas: dict[str, Schema] = {}
        self.generation, self.polls = 1, 0
        self.busy: list[int] = []
        self.puts = self.searches = 0
        self.degraded = False

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> bytes:
        parts = urlsplit(target)
        params = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
        path = unquote(parts.path)
        if (method, path) == ("GET", "/state/v1/version"):
            return _json({"version": self.version})
        if (method, path) == ("POST", "/search/"):
            return self._search(headers, body, params)
        if path.startswith("/document/v1/"):
            return self._document(method, path, params, headers, body)
        if path.startswith(_TENANT):
            return self._configure(method, path, headers, body)
        raise RefusalError(404, {"error-code": "NOT_FOUND", "message": f"Nothing at '{path}'"})

    def _configure(self, method: str, path: str, headers: Any, body: bytes) -> bytes:
        if (method, path) == ("POST", f"{_TENANT}/prepareandactivate"):
            if headers.get("Content-Type") not in ("application/zip", "application/x-gzip"):
                raise _bad_request("Content-Type must be application/zip or application/x-gzip")
            return self._deploy(body)
        if not self.files:
            raise RefusalError(
                404, {"error-code": "NOT_FOUND", "message": "Application 'default.default' not found"}
            )
        if (method, path) == ("GET", f"{_ACTIVE}/serviceconverge"):
            self.polls += 1
            current = self.generation if self.polls > 1 else self.generation - 1
            told = {"currentGeneration": current, "wantedGeneration": self.generation, "services": []}
            return _json({**told, "converged": current == self.generation})
        name = path.removeprefix(f"{_ACTIVE}/content/")
        if method != "GET" or name not in self.files:
            raise RefusalError(404, {"error-code": "NOT_FOUND", "message": f"Could not find '{name}'"})
        return self.files[name]

    def _deploy(self, body: bytes) -> bytes:
        try:
            files = unpacked(body)
            self.schemas = deployed(files, self.schemas)
        except (RefusedError, ElementTree.ParseError) as error:
            raise _bad_request(str(error), "INVALID_APPLICATION_PACKAGE") from error
        self.files, self.polls = files, 0
        self.generation += 1
        actions: dict[str, list[Any]] = {"restart": [], "refeed": [], "reindex": []}
        message = f"Session {self.generation} for tenant 'default' prepared and activated."
        told = {"tenant": "default", "session-id": str(self.generation), "message": message, "log": []}
        return _json({**told, "configChangeActions": actions})

    def _document(self, method: str, path: str, params: dict[str, str], headers: Any, body: bytes) -> bytes:
        found = _DOCUMENT.fullmatch(path)
        if found is None or found[2] not in self.schemas:
            raise RefusalError(
                404 if found is None else 400, {"pathId": path, "message": "no such document type"}
            )
        unknown = set(params) - {"timeout", "route", "tracelevel", "condition"}
        if unknown or not DURATION.fullmatch(params.get("timeout", "1s")):
            raise RefusalError(400, {"pathId": path, "message": f"Unknown or malformed parameters {params}"})
        schema, id_ = self.schemas[found[2]], found[3]
        name = f"id:{found[1]}:{found[2]}::{id_}"
        if method == "GET":
            if id_ not in schema.documents:
                raise RefusalError(404, {"pathId": path, "id": name})
            return _json({"pathId": path, "id": name, "fields": {}})
        if self.busy:
            raise RefusalError(self.busy.pop(), {"pathId": path, "message": "Too many requests"})
        if method == "DELETE":
            schema.remove(id_)
        elif method == "POST":
            try:
                document = json.loads(
                    gzip.decompress(body) if headers.get("Content-Encoding") == "gzip" else body
                )
                if set(document) != {"fields"}:
                    raise RefusedError(f"a document has fields and nothing else, got {sorted(document)}")
                schema.put(id_, document["fields"])
            except (ValueError, TypeError, RefusedError) as error:
                raise RefusalError(
                    400, {"pathId": path, "message": f"In document '{name}': {error}"}
                ) from error
            self.puts += 1
        else:
            raise RefusalError(405, {"pathId": path, "message": f"'{method}' not allowed"})
        return _json({"pathId": path, "id": name})

    def _search(self, headers: Any, body: bytes, params: dict[str, str]) -> bytes:
        if headers.get("Content-Type", "").partition(";")[0] != "application/json":
            raise _query_refused("the query in a POST is application/json")
        try:
            asked = {**json.loads(body), **params}
            root = found(asked, self.schemas, most_hits(self.files), degraded=self.degraded)
        except (ValueError, TypeError, KeyError, QueryError) as error:
            raise _query_refused(str(error)) from error
        self.searches += 1
        return _json({"root": root})


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _bad_request(message: str, code: str = "BAD_REQUEST") -> RefusalError:
    return RefusalError(400, {"error-code": code, "message": message})


def _query_refused(message: str) -> RefusalError:
    error = {"code": 4, "summary": "Invalid query parameter", "message": message}
    return RefusalError(
        400, {"root": {"id": "toplevel", "relevance": 1.0, "fields": {"totalCount": 0}, "errors": [error]}}
    )


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # an answer goes out whole
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = 200
        try:
            if not self.headers.get("Host"):
                raise _bad_request("HTTP/1.1 wants a Host")
            with self.server.state.lock:
                answer = self.server.state.answer(self.command, self.path, self.headers, body)
        except RefusalError as refused:
            status, answer = refused.status, _json(refused.body)
        self.send_response(status)
        self.send_header("Content-Type", "application/json;charset=utf-8")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the base class' names

    def log_message(self, *_: Any) -> None:
        """Says nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 256

    def __init__(self, state: StandIn) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.state = state


@contextmanager
def listening(state: StandIn) -> Iterator[str]:
    """Serves both the queries and the config server at one URL."""
    with _Server(state) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URL of a stand-in, which is named as its own config server in the environment too."""
    del folder  # everything is in memory
    name = variable("vespa-config", "URL")
    with listening(StandIn()) as url:
        former = os.environ.get(name)
        os.environ[name] = url
        try:
            yield url
        finally:
            os.environ.pop(name) if former is None else os.environ.update({name: former})
