"""What concerns the collection as a whole, through Qdrant's own client: rare, so its cost does not matter."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson
from qdrant_client import QdrantClient, models

from engines.base import EngineError, Schema
from engines.http.client import HttpClient, HttpError
from engines.qdrant.failures import explained
from engines.qdrant.params import PAYLOAD, IndexParams, collection
from engines.server.endpoint import REQUEST_TIMEOUT_S, Endpoint, variable
from engines.server.ownership import MARK, ForeignError

T = TypeVar("T")
REST_PORT, GRPC_PORT = 6333, 6334
OLDEST = (1, 16)  # the first that keeps metadata with a collection, which mark it as ours
_UNKNOWN = (404, 405, 501)  # statuses with which a server answers an unknown path
_TIMEOUT_S = int(REQUEST_TIMEOUT_S)


def endpoint() -> tuple[Endpoint, int]:
    """Where the server is, and its gRPC port. Raises EngineError for what is missing or malformed."""
    found = Endpoint.of("qdrant")
    parts = urlsplit(found.url)
    if parts.port is None:
        found = replace(found, url=parts._replace(netloc=f"{parts.netloc}:{REST_PORT}").geturl())
    name = variable("qdrant", "GRPC_PORT")
    given = os.environ.get(name) or str(GRPC_PORT)
    if not given.isdecimal() or not 0 < int(given) < 65_536:
        raise EngineError(f"qdrant: {name} must be a port such as {GRPC_PORT}, got {given!r}")
    return found, int(given)


class Control:
    """One server. Raises EngineError where it refuses or fails, BusyError where it may be asked again."""

    def __init__(self, endpoint: Endpoint, port: int, server: str, *, prefer_grpc: bool) -> None:
        """No I/O. server: as messages name it."""
        # A proxy of the environment would be measured as if it were the server.
        channel: dict[str, Any] = {"grpc.enable_http_proxy": 0}
        tls: dict[str, Any] = {}
        if endpoint.ca_certs is not None:
            channel["root_certificates"] = Path(endpoint.ca_certs).read_bytes()
            tls["verify"] = ssl.create_default_context(cafile=endpoint.ca_certs)
        self._server, self._prefer_grpc = server, prefer_grpc
        headers = {} if endpoint.api_key is None else {"api-key": endpoint.api_key}
        self._http = HttpClient(replace(endpoint, api_key=None), headers)
        self._reports_optimizations = True
        self._client = QdrantClient(
            url=endpoint.url,
            grpc_port=port,
            prefer_grpc=prefer_grpc,
            # As a header, for it warns of keys that are not encrypted.
            headers=headers,
            timeout=_TIMEOUT_S,
            grpc_options=channel,
            check_compatibility=False,
            trust_env=False,
            **tls,
        )

    def _ask(self, call: Callable[[], T]) -> T:
        with explained(self._server):
            return call()

    def version(self) -> str:
        """The server's version, at least OLDEST. Raises EngineError for an older one."""
        found = self._ask(self._client.info).version
        self.require(found, OLDEST)
        return found

    def require(self, found: str, oldest: tuple[int, int], purpose: str = "") -> None:
        """Raises EngineError if the version that was found is older."""
        numbers = re.match(r"v?(\d+)\.(\d+)", found)
        if numbers is None or (int(numbers[1]), int(numbers[2])) < oldest:
            raise EngineError(
                f"{self._server}: it is Qdrant {found or '?'}; use {oldest[0]}.{oldest[1]} or newer{purpose}"
            )

    def create(self, name: str, schema: Schema, params: IndexParams) -> None:
        """Makes the collection and the indexes of its fields; one of that name is dropped if it is ours.

        Raises ForeignError if it is not.
        """
        self.drop(name)
        self._ask(
            lambda: self._client.create_collection(name, timeout=_TIMEOUT_S, **collection(schema, params))
        )
        if not self._ours(self.info(name)):
            self._delete(name)
            raise EngineError(
                f"{self._server} keeps no metadata with a collection, so it would not be known who made it; use "
                f"{OLDEST[0]}.{OLDEST[1]} or newer"
            )
        for field in schema.fields:  # before the points, so that the graph takes filters into account
            self._index(name, schema.aliases[field.name], PAYLOAD[field.kind])

    def _index(self, name: str, alias: str, kind: models.PayloadSchemaType) -> None:
        self._ask(lambda: self._client.create_payload_index(name, alias, kind, wait=True))

    def drop(self, name: str) -> None:
        """Removes the collection, if there is one. Raises ForeignError for one that is not ours."""
        info = self.info(name)  # of the collection behind it, where the name is an alias
        if info is None:
            return
        if not self._ours(info):
            raise ForeignError(self._server, name, "a collection, or the alias of one")
        self._delete(name)

    def _delete(self, name: str) -> None:
        self._ask(lambda: self._client.delete_collection(name, timeout=_TIMEOUT_S))

    @staticmethod
    def _ours(info: models.CollectionInfo | None) -> bool:
        return info is not None and MARK in (info.config.metadata or {})

    def info(self, name: str) -> models.CollectionInfo | None:
        """What the server reports about the collection; None if there is none."""
        if not self._ask(lambda: self._client.collection_exists(name)):
            return None
        return self._ask(lambda: self._client.get_collection(name))

    def optimizations(self, name: str) -> int:
        """How many optimizations run or wait; 0 where that is not known: the server is older than that interface, or
        only its gRPC port can be reached. Asked over REST: gRPC has no such call.
        """
        if not self._reports_optimizations:
            return 0
        try:
            answer = orjson.loads(self._http.send("GET", f"/collections/{name}/optimizations"))["result"]
        except EngineError as error:
            if not self._prefer_grpc and not (isinstance(error, HttpError) and error.status in _UNKNOWN):
                raise
            self._reports_optimizations = False
            return 0
        return len(answer["running"]) + int(answer["summary"]["queued_optimizations"])

    def optimize(self, name: str, indexing_threshold: int | None = None) -> None:
        """Tells the optimizers to look for work, by a change of their settings, as documented; None: an empty one."""
        change = models.OptimizersConfigDiff(indexing_threshold=indexing_threshold)
        self._ask(lambda: self._client.update_collection(name, optimizers_config=change))

    def count(self, name: str) -> int:
        """How many points there are, counted one by one."""
        return self._ask(lambda: self._client.count(name, exact=True)).count

    def close(self) -> None:
        """Closes the connections."""
        self._client.close()
        self._http.close()
