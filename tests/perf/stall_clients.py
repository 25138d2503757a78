"""The adapters' own clients against stalling servers that speak their protocol (stall_grpc.c, stall_postgres.c)."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from engines.base import Capabilities, Field, Hits, Schema
from engines.pgvector.adapter import PgVector
from engines.pgvector.connection import Sessions
from engines.pgvector.filters import Conditions
from engines.pgvector.params import IndexParams, SearchParams
from engines.pgvector.tables import Table
from engines.qdrant import params as qdrant
from engines.qdrant.points.over_grpc import GrpcPoints
from engines.server.endpoint import Endpoint
from engines.server.pipelined import PipelinedQueries, Transport
from harness.calibration.null_engine import NullEngine
from tests.perf.client_qdrant import GRPC_ANSWER, K

DIM = 128
_SCHEMA = Schema(DIM, "l2", (Field("price", "integer"),))


class OverGrpc(PipelinedQueries, NullEngine):
    """Qdrant's points over gRPC, without the control of a collection."""

    capabilities = Capabilities(pipelined=True, receiving_thread=True)

    def __init__(self, port: int) -> None:
        super().__init__()
        self._points = GrpcPoints(Endpoint(f"http://127.0.0.1:{port}"), port, "bakeoff_00000000", _SCHEMA)
        found = (
            qdrant.searching(qdrant.SearchParams(), qdrant.IndexParams(), exact=exact)
            for exact in (False, True)
        )
        self._points.prepare(*found)

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        return self._points.query(vector, k, where, exact=exact)

    def _asking(self, vector: Any, k: int, where: Any) -> tuple[Any, ...]:
        return self._points.asking(vector, k, where, exact=False)

    def _answered(self, raw: Any) -> Hits:
        return self._points.answered(raw)

    def _transport(self) -> Transport:
        return self._points.pipeline()

    def close(self) -> None:
        self._end_flights()
        self._points.close()


class OverPostgres(PgVector):
    """The adapter, as it is once it has attached itself to a table."""

    def __init__(self, port: int) -> None:
        super().__init__(Path("stalling"), IndexParams())
        self._table = Table(self._name, _SCHEMA, self._params)
        self._conditions = Conditions(_SCHEMA)
        address = f"postgresql://stalling@127.0.0.1:{port}/x?sslmode=disable&gssencmode=disable"
        self._sessions = Sessions(Endpoint(address))
        self.configure(SearchParams())


@dataclass(frozen=True, slots=True)
class Client:
    """A client and its server: the program in C, its arguments, and how an engine is made for a port."""

    name: str
    program: str
    arguments: Sequence[str]
    engine: Callable[[int], Any]

    def threaded(self, port: int) -> Any:
        """The engine as one that has to be waited for."""
        engine = self.engine(port)
        engine.capabilities = replace(engine.capabilities, pipelined=False)
        return engine


def _message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack(">i", 4 + len(body)) + body


def _postgres() -> tuple[str, ...]:
    """What stall_postgres.c answers: K rows of an id and a distance, in binary."""
    ready = _message(b"Z", b"I")
    told = {"server_version": "18.0", "server_encoding": "UTF8", "client_encoding": "UTF8"}
    parameters = b"".join(_message(b"S", f"{name}\0{value}\0".encode()) for name, value in told.items())
    started = _message(b"R", struct.pack(">i", 0)) + parameters + _message(b"K", bytes(8)) + ready
    columns = b"".join(
        name + b"\0" + struct.pack(">ihihih", 0, 0, oid, 8, -1, 1)
        for name, oid in ((b"id", 20), (b"distance", 701))
    )
    rows = b"".join(_message(b"D", struct.pack(">hiqid", 2, 8, number, 8, number / 7)) for number in range(K))
    found = (
        _message(b"2")
        + _message(b"T", struct.pack(">h", 2) + columns)
        + rows
        + _message(b"C", f"SELECT {K}\0".encode())
        + ready
    )
    parsed = _message(b"1")
    answers = (started, _message(b"C", b"SET\0") + ready, parsed + ready, found, parsed + found)
    return tuple(answer.hex() for answer in answers)


CLIENTS = (
    Client("gRPC", "stall_grpc", (GRPC_ANSWER.hex(),), OverGrpc),
    Client("PostgreSQL", "stall_postgres", _postgres(), OverPostgres),
)
