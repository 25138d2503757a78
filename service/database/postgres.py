"""Tables in PostgreSQL, which several services may share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from threading import Lock
from typing import Any

import psycopg

from engines.server.address import secrets_of, shown
from engines.server.redaction import redact
from service.database.database import Session, Values
from service.database.errors import StoreError
from service.database.pool import Pool

_CONNECT_S = 5
_TIMEOUT_S = 30  # of a statement, and of waiting for another service's transaction
_ONE_BY_ONE = 7163902258  # names the lock under which tables are made, in this project only
_LEADER = 716390226  # names the lock that `PostgresExclusive` is, in each of a database's schemas
_REMEDIES = {
    "full": "free some space on the server's disk",
    "no space left": "free some space on the server's disk",
    "read-only": "name the primary server in the URL, not a replica, and allow this user to write",
    "permission denied": "grant this user the right to make and write tables in the database",
    "authentication": "correct user and password in the URL",
    "does not exist": "name a database and a user in the URL that exist",
    "timeout": "something else holds locks there for long, or the server is overloaded: look at its log",
}


class PostgresDatabase:
    """A database by its URL, given the tables if it has none. Raises StoreError where that fails."""

    among = "{column} = any(?)"
    columns = (
        "select column_name from information_schema.columns "
        "where table_schema = current_schema() and table_name = ?"
    )
    lock = " for update"

    def __init__(self, url: str, tables: str) -> None:
        self._url = url
        self._readers = Pool(self._connect)
        self._writers = Pool(self._connect)  # of which one is in use at a time
        self._one_at_a_time = Lock()
        with self.writing() as session:
            session.read("select pg_advisory_xact_lock(?)", [_ONE_BY_ONE])
            for statement in tables.format(integer="bigint", blob="bytea", strict="").split(";")[:-1]:
                session.run(statement, [()])

    def _connect(self) -> psycopg.Connection[Any]:
        # Read committed: a writer that has waited for the state's row sees what the one before it has committed.
        given = {
            "default_transaction_isolation": "read\\ committed",
            "synchronous_commit": "on",
            "statement_timeout": f"{_TIMEOUT_S}s",
            "lock_timeout": f"{_TIMEOUT_S}s",
        }
        return psycopg.connect(
            self._url,
            autocommit=True,
            connect_timeout=_CONNECT_S,
            tcp_user_timeout=_TIMEOUT_S * 1000,
            application_name="bakeoff",
            client_encoding="UTF8",
            options=" ".join(f"-c {name}={value}" for name, value in given.items()),
        )

    def listed(self, values: Iterable[Any]) -> Any:
        return list(values)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self._explained("read"), self._readers.connection() as connection:
            yield PostgresSession(connection)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with (
            self._one_at_a_time,
            self._explained("written to"),
            self._writers.connection() as connection,
            connection.transaction(),
        ):
            yield PostgresSession(connection)

    def exclusive(self) -> PostgresExclusive:
        return PostgresExclusive(self._connect, self._explained)

    def close(self) -> None:
        self._readers.close()
        self._writers.close()

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as error:
            said = redact(" ".join(str(error).split()), also=secrets_of(self._url))
            remedy = next((remedy for words, remedy in _REMEDIES.items() if words in said.lower()), "")
            remedy = remedy or "start the server, or correct the URL"
            raise StoreError(f"{shown(self._url)}: cannot be {done} ({said}); {remedy}") from error


class PostgresSession:
    """A connection as a session."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def read(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql.replace("?", "%s").encode(), values or None).fetchall()

    def run(self, sql: str, rows: Iterable[Values]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(sql.replace("?", "%s").encode(), rows)


class PostgresExclusive:
    """A lock that the server takes back when the connection that holds it ends, as with the process or its machine."""

    def __init__(
        self,
        connect: Callable[[], psycopg.Connection[Any]],
        explained: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self._connect, self._explained = connect, explained
        self._connection: psycopg.Connection[Any] | None = None
        self._taken = False

    def take(self) -> bool:
        with self._explained("locked"):
            try:
                if self._connection is None:
                    self._connection = self._connect()
                sql = f"select pg_try_advisory_lock({_LEADER}, hashtext(current_schema()))"
                found = self._connection.execute(sql).fetchone()
            except psycopg.Error:
                self.release()
                raise
        self._taken = found is not None and bool(found[0])
        return self._taken

    def held(self) -> bool:
        if self._taken and self._connection is not None:
            try:
                self._connection.execute("select 1")
            except psycopg.Error:
                self.release()
        return self._taken

    def release(self) -> None:
        connection, self._connection = self._connection, None
        taken, self._taken = self._taken, False
        if connection is not None:
            # Of one that broke the server takes it back by itself.
            with closing(connection), suppress(psycopg.Error):
                if taken:  # who waits for it has it at once, not only when the server has seen this end
                    connection.execute(f"select pg_advisory_unlock({_LEADER}, hashtext(current_schema()))")
