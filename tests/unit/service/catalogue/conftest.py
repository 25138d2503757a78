"""The stores that the tests of a store run on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from service.catalogue.opening import open_store
from service.catalogue.schema import CatalogueSchema
from service.catalogue.sql import SqlStore

Opener = Callable[[CatalogueSchema], SqlStore]


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opener]:
    """Opens the same empty catalogue, as often as it is called; all are closed at the end."""
    place = str(tmp_path / "catalogue.sqlite")
    if request.param == "postgres":
        place = request.getfixturevalue("postgres")
        with psycopg.connect(place) as connection:
            connection.execute("drop table if exists catalogue_listings, catalogue_state, catalogue_meta")
    stores: list[SqlStore] = []

    def opening(schema: CatalogueSchema) -> SqlStore:
        stores.append(open_store(place, schema))
        return stores[-1]

    yield opening
    for store in stores:
        store.close()
