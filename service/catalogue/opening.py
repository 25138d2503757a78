"""A store by what the configuration calls it."""

from __future__ import annotations

from pathlib import Path

from engines.server.address import shown
from harness.errors import ConfigurationError
from service.catalogue.schema import CatalogueSchema
from service.catalogue.sql import Database, SqlStore
from service.catalogue.sqlite import SqliteDatabase
from service.catalogue.store import StoreError

_POSTGRES = ("postgresql://", "postgres://")


def open_store(place: str, schema: CatalogueSchema) -> SqlStore:
    """The store in an SQLite file, made if it is not there, or in PostgreSQL where `place` is its URL.

    Raises ConfigurationError where it cannot be opened or written to, or holds a catalogue of another schema.
    """
    database: Database | None = None
    try:
        database = _database(place)
        return SqlStore(database, schema, place, _shown(place))
    except (StoreError, ConfigurationError) as error:
        if database is not None:
            database.close()
        raise ConfigurationError(str(error).split("\n")) from error


def _database(place: str) -> Database:
    if not place.startswith(_POSTGRES):
        return SqliteDatabase(Path(place))
    try:
        from service.catalogue.postgres import PostgresDatabase
    except ImportError as error:
        raise StoreError(
            f"{shown(place)} needs {error.name}. Install it with: pip install 'bakeoff[pgvector]'"
        ) from error
    return PostgresDatabase(place)


def _shown(place: str) -> str:
    return shown(place) if place.startswith(_POSTGRES) else place
