"""The files of a simulated marketplace."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import DatasetError
from models.data.marketplace.market import Market, make_market
from models.data.marketplace.options import MarketplaceOptions, read_options
from models.data.marketplace.writing import write_marketplace
from models.data.reading.interaction_file import read_interactions
from models.data.reading.item_file import read_items
from models.data.reading.options import ItemOptions


@pytest.fixture(scope="module")
def small() -> Market:
    return make_market(MarketplaceOptions(listings=300, users=150, interactions=800, days=10))


def test_files_hold_what_the_market_holds(small: Market, tmp_path: Path) -> None:
    write_marketplace(tmp_path / "made", small)
    items = pq.read_table(tmp_path / "made" / "items.parquet")
    assert items["item_id"].to_pylist() == small.items.ids.tolist()
    for name, column in small.items.categories.items():
        assert items[name].to_pylist() == column.decode()
    assert items["material"].null_count > 0
    assert items["price"].to_pylist() == small.items.numbers["price"].tolist()
    assert items["description"].fill_null("").to_pylist() == small.items.texts["description"].tolist()
    assert items["description"].null_count > 0
    assert items["listed_at"].cast(pa.int64()).to_pylist() == small.items.listed_ms.tolist()  # type: ignore[union-attr]
    taken = pq.read_table(tmp_path / "made" / "interactions.parquet")
    assert taken.column_names == ["user_id", "item_id", "timestamp", "event", "weight"]
    inside = small.interactions
    assert taken["user_id"].to_pylist() == inside.user_ids[inside.users].tolist()
    assert taken["item_id"].to_pylist() == small.items.ids[inside.items].tolist()
    assert taken["timestamp"].type == pa.timestamp("ms", tz="UTC")
    np.testing.assert_array_equal(taken["timestamp"].cast(pa.int64()).to_numpy(), inside.times_ms)
    assert taken["event"].to_pylist() == small.events.decode()
    np.testing.assert_array_equal(taken["weight"].to_numpy(), inside.weights)


def test_every_file_says_that_it_is_simulated(small: Market, tmp_path: Path) -> None:
    write_marketplace(tmp_path, small)
    for name in ("items", "interactions"):
        metadata = pq.read_schema(tmp_path / f"{name}.parquet").metadata
        assert metadata[b"simulated"].decode() == small.description
    about = json.loads((tmp_path / "marketplace.json").read_text())
    assert about["simulated"] is True
    assert read_options(about["options"], "marketplace.json") == small.options
    assert about["counts"]["views"] == small.counts["views"]
    assert not list(tmp_path.glob("*.partial"))


def test_files_are_read_as_those_of_a_real_marketplace(small: Market, tmp_path: Path) -> None:
    write_marketplace(tmp_path, small)
    # Of so few listings hardly any share a brand.
    options = ItemOptions(listed="listed_at", categories=("brand",))
    items = read_items(tmp_path / "items.parquet", options)
    made = small.items
    assert items.ids.tolist() == made.ids.tolist()
    assert {
        name: column.decode() for name, column in items.categories.items() if name in made.categories
    } == {name: column.decode() for name, column in made.categories.items()}
    assert items.numbers["price"].tolist() == made.numbers["price"].tolist()
    assert {name: column.tolist() for name, column in items.texts.items() if name in made.texts} == {
        name: column.tolist() for name, column in made.texts.items()
    }
    np.testing.assert_array_equal(items.listed_ms, made.listed_ms)
    taken, inside = read_interactions(tmp_path / "interactions.parquet", items), small.interactions
    assert len(taken) == len(inside) and not taken.left_out
    assert taken.user_ids[taken.users].tolist() == inside.user_ids[inside.users].tolist()
    np.testing.assert_array_equal(taken.items, inside.items)
    np.testing.assert_array_equal(taken.times_ms, inside.times_ms)
    np.testing.assert_array_equal(taken.weights, inside.weights)


def test_a_folder_that_cannot_be_written_is_named(small: Market, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DatasetError, match="file"):
        write_marketplace(tmp_path / "file" / "made", small)
    (tmp_path / "items.parquet").mkdir()
    with pytest.raises(DatasetError, match=r"items\.parquet: cannot be written"):
        write_marketplace(tmp_path, small)
    assert not list(tmp_path.glob("*.partial"))
