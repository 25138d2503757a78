"""Listings as a file of items, as `bakeoff train` reads it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigurationError, DatasetError
from service.catalogue.tables import SCHEMA, TABLES
from service.database.database import Database
from service.database.errors import StoreError
from service.database.opening import is_url, open_database, shown
from service.database.whole import whole

if TYPE_CHECKING:
    import pyarrow as pa

_PAGE = 5000
_ROWS = (
    "select number, id, listed_at_ms, attributes, details from catalogue_listings "
    "where number > ? and vector is not null order by number limit ?"
)

_Row = tuple[int, str, int, str, str]


def write_items(place: str, path: Path) -> int:
    """Writes every listing that is there or was, and returns how many: item_id, listed_at, its fields and details.

    place: of the catalogue, as `open_store` takes it; its service may run. A file that is there is replaced, whole.
    Raises ConfigurationError where there is no catalogue, DatasetError where it is empty, or the file cannot be
    written.
    """
    import pyarrow.parquet as pq

    if not is_url(place) and not Path(place).is_file():
        raise ConfigurationError(
            f"{place}: is not there; name the folder of a service that has been started with --data"
        )
    written = 0
    try:
        with closing(open_database(place, TABLES)) as database:
            schema = _schema(database)
            with whole(path) as partial, pq.ParquetWriter(partial, schema) as writer:
                for rows in _pages(database):
                    writer.write_table(_table(rows, schema))
                    written += len(rows)
                if not written:
                    raise DatasetError(f"{path}: is not written, for {shown(place)} holds no listings")
    except StoreError as error:
        raise ConfigurationError(str(error)) from error
    return written


def _pages(database: Database) -> Iterator[list[_Row]]:
    last = -1
    while True:
        with database.reading() as session:
            rows: list[Any] = session.read(_ROWS, [last, _PAGE])
        if not rows:
            return
        yield rows
        last = rows[-1][0]


def _schema(database: Database) -> pa.Schema:
    """The columns: fields by their kinds, and whatever details listings have."""
    import pyarrow as pa

    kinds = {
        "keyword": pa.string(),
        "tags": pa.list_(pa.string()),
        "integer": pa.int64(),
        "float": pa.float64(),
        "boolean": pa.bool_(),
    }
    with database.reading() as session:
        noted = session.read("select value from catalogue_meta where key = ?", [SCHEMA])
    fields = json.loads(noted[0][0])["fields"] if noted else {}
    details = {name for rows in _pages(database) for row in rows for name in json.loads(row[4])}
    columns = {name: kinds[kind] for name, kind in fields.items()} | dict.fromkeys(
        sorted(details), pa.string()
    )
    return pa.schema(columns | {"item_id": pa.string(), "listed_at": pa.timestamp("ms", tz="UTC")})


def _table(rows: Sequence[_Row], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa

    listings = [
        {**json.loads(attributes), **json.loads(details), "item_id": id_, "listed_at": listed_ms}
        for _, id_, listed_ms, attributes, details in rows
    ]
    columns = [pa.array([one.get(column.name) for one in listings], column.type) for column in schema]
    return pa.table(columns, schema=schema)
