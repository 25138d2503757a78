"""A database by what the configuration calls it."""

from __future__ import annotations

from pathlib import Path

from engines.server import address
from service.database.database import Database
from service.database.errors import StoreError
from service.database.sqlite import SqliteDatabase

_POSTGRES = ("postgresql://", "postgres://")


def open_database(place: str, tables: str) -> Database:
    """The SQLite file, made if it is not there, or PostgreSQL where `place` is its URL; with these tables.

    tables: statements that change nothing where they have run before, with {integer} (of 64 bits), {blob} and {strict}
    as the types. Raises StoreError where it cannot be opened or written to.
    """
    if not is_url(place):
        return SqliteDatabase(Path(place), tables)
    try:
        from service.database.postgres import PostgresDatabase
    except ImportError as error:
        raise StoreError(
            f"{shown(place)} needs {error.name}. Install it with: pip install 'bakeoff[pgvector]'"
        ) from error
    return PostgresDatabase(place, tables)


def is_url(place: str) -> bool:
    """Whether a place is a server's, and not a file."""
    return place.startswith(_POSTGRES)


def shown(place: str) -> str:
    """A place without a password."""
    return address.shown(place) if is_url(place) else place
