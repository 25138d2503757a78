"""A store by what the configuration calls it."""

from __future__ import annotations

from pathlib import Path

from harness.errors import ConfigurationError
from service.catalogue.schema import CatalogueSchema
from service.catalogue.sql import SqlStore
from service.catalogue.tables import TABLES
from service.database.database import Database
from service.database.errors import StoreError
from service.database.opening import open_database, shown

_FILE = "catalogue.sqlite"


def catalogue_place(store: str | None, folder: Path) -> str:
    """What `open_store` takes: the URL `store`, or a file in the service's folder."""
    return store or str(folder / _FILE)


def open_store(place: str, schema: CatalogueSchema) -> SqlStore:
    """The store in an SQLite file, made if it is not there, or in PostgreSQL where `place` is its URL.

    Raises ConfigurationError where it cannot be opened or written to, or holds a catalogue of another schema.
    """
    database: Database | None = None
    try:
        database = open_database(place, TABLES)
        return SqlStore(database, schema, place, shown(place))
    except (StoreError, ConfigurationError) as error:
        if database is not None:
            database.close()
        raise ConfigurationError(str(error).split("\n")) from error
