"""Connections to PostgreSQL: made with clear errors, and used at the level of libpq, the library below psycopg."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import pq
from psycopg.conninfo import make_conninfo

from engines.base import EngineError
from engines.pgvector.binary import unpack_id
from engines.server.endpoint import REQUEST_TIMEOUT_S, Endpoint, variable
from engines.server.pauses import pause_after_loss
from engines.server.redaction import redact

CONNECT_TIMEOUT_S = 5
_LIMITS = (
    f"set statement_timeout = '{REQUEST_TIMEOUT_S:.0f}s'; set lock_timeout = '{REQUEST_TIMEOUT_S:.0f}s'; "
    "set max_parallel_workers_per_gather = 0"  # one query, one thread, as in every engine
)
DONE = (pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK)
NEW = -1  # version of a session's settings before there are any
_OLDEST = (0, 8)  # of pgvector: iterative scans came with it
_REMEDIES = {
    ("password", "authentication", "pg_hba", "role"): "set {user} and {password} to those of the server",
    (
        "SSL",
        "certificate",
        "TLS",
    ): "set {ca_certs} to its certificates, and sslmode in {url} to what it speaks",
    ("database",): "name one that exists, as in {url}=postgresql://host:5432/database",
}


def connect(endpoint: Endpoint) -> psycopg.Connection[Any]:
    """A connection in autocommit mode. Raises EngineError with the cause and a remedy, within seconds."""
    try:
        return psycopg.connect(conninfo(endpoint), autocommit=True)
    except psycopg.Error as error:
        pause_after_loss()
        raise unreachable(error, endpoint) from None


def conninfo(endpoint: Endpoint) -> str:
    """The address, the credentials and what goes with every connection, for libpq. Raises psycopg's errors."""
    # Options that are None leave the URL's. Over TLS with given certificates, names are checked.
    options: dict[str, Any] = {"user": endpoint.user, "password": endpoint.password}
    if endpoint.ca_certs is not None:
        options |= {"sslrootcert": str(endpoint.ca_certs), "sslmode": "verify-full"}
    return make_conninfo(
        endpoint.url,
        connect_timeout=CONNECT_TIMEOUT_S,
        tcp_user_timeout=int(REQUEST_TIMEOUT_S * 1000),
        application_name="bakeoff",
        client_encoding="UTF8",
        **options,
    )


def unreachable(error: psycopg.Error, endpoint: Endpoint) -> EngineError:
    """The error that reports a connection that could not be made."""
    cause = redact(" ".join(str(error).split()))
    names = {key.lower(): variable("pgvector", key) for key in ("URL", "USER", "PASSWORD", "CA_CERTS")}
    remedy = "start the server, or set {url} to where it listens"
    said = cause.rpartition("failed:")[2]  # the address before it may contain any word
    for words, advice in _REMEDIES.items():
        if any(word in said for word in words):
            remedy = advice
            break
    return EngineError(
        f"pgvector: no connection to {redact(endpoint.url)}: {cause}; {remedy.format(**names)}"
    )


def prepare_server(connection: psycopg.Connection[Any]) -> str:
    """Checks that the server has what is needed, and returns its name and version. Creates the extension if it is
    not there. Raises EngineError where something is missing.
    """
    query = "select extversion from pg_extension where extname = 'vector'"
    try:
        row = connection.execute(query).fetchone()
        if row is None:
            connection.execute("create extension if not exists vector")
            row = connection.execute(query).fetchone()
    except psycopg.Error as error:
        raise EngineError(
            f"pgvector: the server has no extension 'vector' ({_short(error)}); install pgvector there and let a "
            "superuser run: create extension vector"
        ) from None
    assert row is not None
    version = str(row[0])
    if tuple(int(part) for part in version.split(".")[:2]) < _OLDEST:
        raise EngineError(
            f"pgvector: the server has version {version}, 0.8 or newer is needed; install it there and run: "
            "alter extension vector update"
        )
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise EngineError(f"pgvector: the database is encoded in {encoding}, use one with encoding 'UTF8'")
    number = connection.info.server_version
    return f"PostgreSQL {number // 10_000}.{number % 10_000}, pgvector {version}"


def _short(error: Exception) -> str:
    return redact(str(error).strip().partition("\n")[0])


class Session:
    """One connection, for one thread at a time. Parameters and results are in PostgreSQL's binary format. Methods
    raise psycopg's errors.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.connection = connect(endpoint)
        self.version = NEW  # of the settings that `Sessions` has applied
        self._pgconn = self.connection.pgconn
        self._prepared: dict[str, bytes] = {}

    def run(self, sql: str) -> None:
        """Runs SQL without parameters, whose results are not wanted; several statements are one transaction."""
        _checked(self._pgconn.exec_(sql.encode()))

    def execute(self, sql: str, values: Sequence[bytes] = (), *, prepare: bool = False) -> pq.abc.PGresult:
        """Runs one statement with parameters $1, $2, ... and waits for its result.

        prepare: keep the statement, and after some executions its plan, which then serves for any values.
        """
        formats = [pq.Format.BINARY] * len(values)
        if not prepare:
            return _checked(self._pgconn.exec_params(sql.encode(), values, None, formats, pq.Format.BINARY))
        name = self._prepared.get(sql) or self._prepare(sql)
        return _checked(self._pgconn.exec_prepared(name, values, formats, pq.Format.BINARY))

    def _prepare(self, sql: str) -> bytes:
        name = b"s%d" % len(self._prepared)
        _checked(self._pgconn.prepare(name, sql.encode()))
        self._prepared[sql] = name
        return name

    def copy(self, sql: str, pieces: Iterable[bytes]) -> None:
        """Sends the data of a COPY ... FROM STDIN."""
        with self.connection.cursor() as cursor, cursor.copy(sql) as copy:
            for piece in pieces:
                copy.write(piece)

    def number(self, sql: str) -> int:
        """The bigint that a query returns."""
        return unpack_id(self.execute(sql).get_value(0, 0))

    def texts(self, sql: str) -> list[str]:
        """The texts in the one column that a query returns."""
        result = self.execute(sql)
        return [(result.get_value(row, 0) or b"").decode() for row in range(result.ntuples)]

    @property
    def broken(self) -> bool:
        """Whether the connection is lost or closed."""
        return self._pgconn.status != pq.ConnStatus.OK

    def close(self) -> None:
        """Closes the connection."""
        self.connection.close()


def _checked(result: pq.abc.PGresult) -> pq.abc.PGresult:
    if result.status not in DONE:
        raise psycopg.errors.error_from_result(result)
    return result


@contextmanager
def reported() -> Iterator[None]:
    """Turns psycopg's errors into EngineError."""
    try:
        yield
    except psycopg.Error as error:
        raise failure(error) from error


def failure(error: psycopg.Error) -> EngineError:
    """The error that reports a request that the server refused, or a lost connection."""
    return EngineError(f"pgvector: {_short(error)} ({type(error).__name__})")


@contextmanager
def unhurried(session: Session) -> Iterator[None]:
    """No time limit for what an index build or VACUUM takes."""
    session.run("set statement_timeout = 0")
    try:
        yield
    finally:
        if not session.broken:
            session.run(f"set statement_timeout = '{REQUEST_TIMEOUT_S:.0f}s'")


class _Thread:
    """What ends with a thread, being held by nothing else."""


class Sessions:
    """A session for every thread that asks, each with the settings given last."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint, self._local, self._lock = endpoint, threading.local(), threading.Lock()
        self._all: list[Session] = []
        self._left: list[Session] = []  # by threads that have ended, for the next ones
        self._settings = ""
        self.version = 0  # of the settings

    def configure(self, settings: Mapping[str, str]) -> None:
        """Settings of the queries that follow. Other threads' sessions take them with their next query."""
        # pgvector is loaded first: before that, PostgreSQL takes any value for its settings.
        commands = [f"set {name} = '{value}'" for name, value in settings.items()]
        self._settings, self.version = "; ".join(["select '[0]'::vector", *commands]), self.version + 1
        self.mine()

    def mine(self) -> Session:
        """The calling thread's session; a new one in place of one that broke."""
        session: Session | None = getattr(self._local, "session", None)
        if session is None or session.broken:
            session = self._local.session = self._taken_over() or self._new()
            self._local.thread = _Thread()
            weakref.finalize(self._local.thread, self._left.append, session).atexit = False
        if wanted := self.wanted(session.version):
            session.run(wanted)
            session.version = self.version
        return session

    def _taken_over(self) -> Session | None:
        """One that a thread left which has ended: each would stay open else, until the server refuses more."""
        while self._left:
            session = self._left.pop()
            if not session.broken:
                return session
        return None

    def _new(self) -> Session:
        session = Session(self.endpoint)
        with self._lock:
            self._all.append(session)
        return session

    def wanted(self, version: int) -> str:
        """What a connection has to run whose settings are of this version: nothing if they are the latest."""
        if version == self.version:
            return ""
        return self._settings if version != NEW else f"{_LIMITS}; {self._settings}"

    def close(self) -> None:
        """Closes every thread's session; none may be in use."""
        with self._lock:
            while self._all:
                self._all.pop().close()
