"""Tables in one SQLite file: written ahead, and synced at every commit."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any

from service.database.database import Session, Values
from service.database.errors import StoreError
from service.database.pool import Pool

_BUSY_S = 10.0  # that a writer of another process is waited for
_REMEDIES = {
    "full": "the disk, or the file's own limit, is full: free some space there",
    "readonly": "make the file and its folder ones that this account can write to",
    "unable to open": "make its folder one that exists and that this account can write to",
    "disk i/o": "the disk failed or is full: free some space there and look at the system's log",
    "locked": "another process has been writing for long: end it, or give each service a file of its own",
    "not a database": "name another file: this one holds something else",
    "malformed": "the file is damaged: restore it from a backup",
    "no such table": "the file holds something else, or was emptied: name another one",
}


class SqliteDatabase:
    """A file, made with the tables if it is not there. Raises StoreError where that fails."""

    among = "{column} in (select value from json_each(?))"
    columns = "select name from pragma_table_info(?)"
    lock = ""  # a transaction that writes has the whole file

    def __init__(self, path: Path, tables: str) -> None:
        self._path = path
        self._pool = Pool(self._connect_reader)
        self._one_at_a_time = Lock()
        made = tables.format(integer="integer", blob="blob", strict=" strict")
        with self._explained("opened"):
            self._writer = self._connect()
            try:
                # WAL: readers go on while a transaction is written. FULL: a commit is on disk when it returns.
                self._writer.executescript("pragma journal_mode = wal; pragma synchronous = full;")
                self._writer.executescript(f"begin immediate; {made} commit;")
            except BaseException:
                self._writer.close()
                raise

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, _BUSY_S, isolation_level=None, check_same_thread=False)

    def _connect_reader(self) -> sqlite3.Connection:
        connection = self._connect()
        connection.execute("pragma query_only = true")
        return connection

    def listed(self, values: Iterable[Any]) -> Any:
        return json.dumps(list(values))

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self._explained("read"), self._pool.connection() as connection:
            yield SqliteSession(connection)

    @contextmanager
    def writing(self) -> Iterator[Session]:
        with self._one_at_a_time, self._explained("written to"):
            self._writer.execute("begin immediate")
            try:
                yield SqliteSession(self._writer)
                self._writer.execute("commit")
            except BaseException:
                with suppress(sqlite3.Error):  # some errors have rolled it back already
                    self._writer.execute("rollback")
                raise

    def exclusive(self) -> None:
        return None

    def close(self) -> None:
        self._pool.close()
        self._writer.close()

    @contextmanager
    def _explained(self, done: str) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            said = str(error).lower()
            remedy = next(
                (remedy for words, remedy in _REMEDIES.items() if words in said), "see SQLite's message"
            )
            raise StoreError(f"{self._path}: cannot be {done} ({error}); {remedy}") from error


class SqliteSession:
    """A connection as a session."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def read(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    def run(self, sql: str, rows: Iterable[Values]) -> None:
        self._connection.executemany(sql, rows)
