"""A catalogue as a file is what training reads as items."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import ConfigurationError, DatasetError
from models.data.reading.item_file import read_items
from models.data.reading.options import ItemOptions
from service.catalogue import export
from service.catalogue.export import write_items
from service.catalogue.listing import Put, Remove
from tests.unit.service.catalogue.conftest import Opener
from tests.unit.service.catalogue.test_store import SCHEMA, fields, put

OPTIONS = ItemOptions(categories=("brand",), numbers=("price", "size"), texts=("title",), listed="listed_at")


def test_training_reads_every_listing_that_is_or_was(
    opened: Opener, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_PAGE", 2)
    store, path = opened(SCHEMA), tmp_path / "items.parquet"
    store.write([put("a", 3), put("b", 5), Put("c", fields(7)), put("d", 9)])
    store.write([Remove("b"), Remove("never", version=2)])
    assert write_items(store.place, path) == 4  # the service goes on
    items = read_items(path, OPTIONS)
    assert items.ids.tolist() == ["a", "b", "c", "d"]
    assert items.numbers["price"].tolist() == [3, 5, 7, 9]
    assert items.texts["title"].tolist() == ["ein Mantel, 50 % Wolle?"] * 2 + ["", "ein Mantel, 50 % Wolle?"]
    assert items.categories["brand"].words == ("Zara",)
    assert items.listed_ms is not None
    listed = {key: one.listed_at_ms for key, one in store.get("abcd", removed=True).items()}
    assert items.listed_ms.tolist() == [listed[key] for key in "abcd"]


def test_what_is_no_catalogue_or_is_empty_is_named_and_leaves_no_file(tmp_path: Path, opened: Opener) -> None:
    path = tmp_path / "items.parquet"
    with pytest.raises(ConfigurationError, match=r"none\.sqlite: is not there"):
        write_items(str(tmp_path / "none.sqlite"), path)
    with pytest.raises(DatasetError, match="holds no listings"):
        write_items(opened(SCHEMA).place, path)
    assert not list(tmp_path.glob("*.parquet*"))
