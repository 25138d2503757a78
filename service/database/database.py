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


class Exclusive(Protocol):
    """What one process at a time has, until it gives it back or ends in whatever way. For one thread at a time.

    Every method may raise StoreError.
    """

    def take(self) -> bool:
        """Whether it is this process's now; never waits for another one."""

    def held(self) -> bool:
        """Whether it still is: it may have been lost, as with a connection that broke."""

    def release(self) -> None:
        """Gives it back, if it is held."""


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

    def exclusive(self) -> Exclusive | None:
        """What one process at a time may have of all that use this database; None where that is a file.

        Every call makes one of its own; they compete for the same.
        """

    def close(self) -> None:
        """Closes every connection."""
