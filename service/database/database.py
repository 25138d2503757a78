"""The protocol of a database with tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Values = Sequence[Any]


class Session(Protocol):
    """A transaction, or a connection for reading. Placeholders are `?` in every database."""

    def read(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """The rows of a query."""

    def run(self, sql: str, rows: Iterable[Values]) -> None:
        """Runs a statement once for each row of values."""


class Database(Protocol):
    """A database that has the tables. Every method, and all in a context, raises StoreError."""

    among: str  # "{column} ..." that takes one value of `listed`
    columns: str  # a query for the names of the columns of a table, which it takes as its value
    lock: str  # what a query ends with whose rows no other transaction may change

    def listed(self, values: Iterable[Any]) -> Any:
        """Values as one, for `among`."""

    def reading(self) -> AbstractContextManager[Session]:
        """A connection that sees what has been committed."""

    def writing(self) -> AbstractContextManager[Session]:
        """A transaction, durable once the context has been left, rolled back on an error. For one thread."""

    def close(self) -> None:
        """Closes every connection."""
