"""A catalogue of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.catalogue.sql import SqlStore
from tests.unit.service.indexing.catalogues import open_catalogue


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    with_store = open_catalogue(tmp_path)
    yield with_store
    with_store.close()
