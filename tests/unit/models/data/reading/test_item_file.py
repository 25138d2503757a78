from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from harness.errors import ConfigurationError
from models.data.items import Items
from models.data.reading.item_file import read_items
from models.data.reading.options import ItemOptions
from tests.unit.models.data.made import refusal, write

_BRANDS = ["Acme", "Acme", "Zed", None, " ", "Zed"]


def _listings(folder: Path, **more: Any) -> Path:
    columns = {
        "item_id": ["a", "b", "c", "d", "e", "f"],
        "brand": _BRANDS,
        "title": [f"red wool coat {number}" for number in range(5)] + [None],
        "price": [9.5, None, 3.0, 20.25, float("nan"), 7.0],
        "size": pa.array([36.0, 36.0, 38.0, 38.0, None, 36.0]),
        "used": [True, False, True, True, None, True],
        "listed": [datetime(2020, 9, day) for day in (1, 2, 3, 4, 5)] + [None],
        "hash": ["x1", "x2", "x3", "x4", "x5", "x6"],
        "shop": ["one"] * 6,
        "empty": pa.array([None] * 6, pa.null()),
        "nothing": ["", " ", None, "", "", ""],
        "tags": [["a"], [], None, ["b"], ["c"], ["d"]],
        **more,
    }
    return write(
        folder / "items.parquet", **{key: value for key, value in columns.items() if value is not None}
    )


def _refused(path: Path, **options: Any) -> str:
    with pytest.raises(ConfigurationError) as caught:
        read_items(path, ItemOptions(**options))
    return refusal(caught)


def _choices(items: Items) -> dict[str, tuple[str, ...]]:
    return {choice.name: choice.read_as for choice in items.columns}


def test_columns_are_read_as_their_values_suggest_and_every_choice_is_told(tmp_path: Path) -> None:
    items = read_items(_listings(tmp_path))
    assert items.ids.tolist() == ["a", "b", "c", "d", "e", "f"]
    assert items.categories["brand"].decode() == ["Acme", "Acme", "Zed", None, None, "Zed"]
    assert items.categories["brand"].words == ("Acme", "Zed")
    assert items.categories["size"].decode() == ["36", "36", "38", "38", None, "36"]
    assert items.categories["used"].decode() == ["true", "false", "true", "true", None, "true"]
    assert items.texts["title"].tolist() == [*(f"red wool coat {number}" for number in range(5)), ""]
    np.testing.assert_array_equal(items.numbers["price"], [9.5, np.nan, 3.0, 20.25, np.nan, 7.0])
    assert items.listed_ms is None
    assert _choices(items) == {
        "item_id": ("id",),
        "brand": ("category",),
        "title": ("text",),
        "price": ("number",),
        "size": ("category",),
        "used": ("category",),
        "listed": (),
        "hash": (),
        "shop": (),
        "empty": (),
        "nothing": (),
        "tags": (),
    }
    by_name = {choice.name: choice for choice in items.columns}
    assert (by_name["brand"].distinct, by_name["brand"].missing) == (2, 2)
    assert (by_name["nothing"].distinct, by_name["nothing"].missing) == (0, 6)
    assert by_name["tags"].missing == 1
    assert "items.listed" in by_name["listed"].why
    assert "list<" in by_name["tags"].why
    assert by_name["shop"].why == "holds the same value wherever it holds one"
    assert by_name["empty"].why == by_name["nothing"].why == "holds no value"


def test_options_override_what_is_inferred(tmp_path: Path) -> None:
    items = read_items(
        _listings(tmp_path),
        ItemOptions(
            categories=("hash", "shop", "listed"),
            numbers=("size",),
            texts=("brand", "hash"),
            listed="listed",
            leave_out=("price", "tags"),
        ),
    )
    assert items.categories["hash"].decode() == ["x1", "x2", "x3", "x4", "x5", "x6"]
    assert items.texts["hash"].tolist() == ["x1", "x2", "x3", "x4", "x5", "x6"]
    assert items.texts["brand"].tolist() == ["Acme", "Acme", "Zed", "", "", "Zed"]
    assert items.categories["shop"].words == ("one",)
    assert "brand" not in items.categories
    np.testing.assert_array_equal(items.numbers["size"], [36, 36, 38, 38, np.nan, 36])
    assert "price" not in items.numbers
    day = 86_400_000
    assert items.listed_ms is not None
    # The one that does not say counts as listed when the first was.
    assert ((items.listed_ms - items.listed_ms[0]) // day).tolist() == [0, 1, 2, 3, 4, 0]
    assert len(items.categories["listed"].words) == 5
    assert _choices(items)["listed"] == ("listed", "category")
    assert {choice.why for choice in items.columns if choice.name == "price"} == {"named in items.leave_out"}


def test_numbers_as_text_decimals_and_categoricals_are_understood(tmp_path: Path) -> None:
    path = _listings(
        tmp_path,
        price=["9.5", "10", None, "1e3", "", "-2"],
        cost=pa.array([1, 2, 3, 4, 5, None]).cast(pa.decimal128(30, 2)),
        brand=pa.array(_BRANDS).dictionary_encode(),
        weight_g=[7, 7, 7, 7, 7, None],
    )
    items = read_items(path, ItemOptions(numbers=("price", "cost"), categories=("weight_g",)))
    np.testing.assert_array_equal(items.numbers["price"], [9.5, 10, np.nan, 1000, np.nan, -2])
    np.testing.assert_array_equal(items.numbers["cost"], [1, 2, 3, 4, 5, np.nan])
    assert items.categories["brand"].decode() == ["Acme", "Acme", "Zed", None, None, "Zed"]
    assert items.categories["weight_g"].words == ("7",)


def test_ids_are_strings_or_integers(tmp_path: Path) -> None:
    whole = read_items(_listings(tmp_path, item_id=pa.array([5, 3, 9, 1, 0, 2], pa.uint8())))
    assert whole.ids.tolist() == [5, 3, 9, 1, 0, 2]
    other = read_items(_listings(tmp_path, item_id=None, sku=list("uvwxyz")), ItemOptions(id="sku"))
    assert other.ids.tolist() == list("uvwxyz")


def test_one_item_is_a_catalogue_and_nothing_tells_it_apart(tmp_path: Path) -> None:
    items = read_items(write(tmp_path / "one.parquet", item_id=["a"], brand=["Acme"], price=[3.5]))
    assert len(items) == 1
    assert not items.categories
    assert not items.numbers
    assert _choices(items) == {"item_id": ("id",), "brand": (), "price": ()}


def test_items_of_which_nothing_is_known_are_items(tmp_path: Path) -> None:
    items = read_items(write(tmp_path / "ids.parquet", item_id=[1, 2, 3]))
    assert items.ids.tolist() == [1, 2, 3]
    assert not items.texts


@pytest.mark.parametrize(
    ("changes", "options", "told"),
    [
        ({"item_id": ["a", "b", None, "", "e", "f"]}, {}, "column 'item_id': row 2 has no id (2 in all)"),
        (
            {"item_id": ["a", "b", "c", "b", "c", "c"]},
            {},
            "'b' in rows 1 and 3, 'c' in rows 2 and 4 (2 in all)",
        ),
        ({"item_id": [1.5, 2, 3, 4, 5, 6]}, {}, "column 'item_id': ids must be strings or integers"),
        (
            {"item_id": None},
            {},
            "has no column 'item_id'; name the column of ids with items.id (it has: brand",
        ),
        ({}, {"categories": ("colour",)}, "has no column 'colour'; correct items.categories"),
        ({}, {"listed": "when"}, "has no column 'when'; correct items.listed"),
        ({}, {"texts": ("item_id",)}, "holds the ids; take it out of items.texts"),
        ({}, {"texts": ("brand",), "leave_out": ("brand",)}, "is in items.texts and in items.leave_out"),
        ({}, {"texts": ("price",)}, "column 'price': holds floats, only strings can be text"),
        ({}, {"numbers": ("listed",)}, "column 'listed': holds times, which are no numbers"),
        ({}, {"numbers": ("brand",)}, "column 'brand': row 0 holds 'Acme', which is no finite number"),
        ({"price": [1.0, 2.5, float("inf"), 4, 5, 6]}, {}, "column 'price': row 2 holds inf"),
        ({}, {"categories": ("tags",)}, "cannot be a category; store others, or name it in items.leave_out"),
        ({"listed": ["2020-09-01", "soon", None, "", "", ""]}, {"listed": "listed"}, "row 1 holds 'soon'"),
        ({"listed": [5, 6, 7, 8, 9, 10]}, {"listed": "listed"}, "name the unit with items.unit"),
    ],
)
def test_bad_items_are_refused_by_file_column_and_row(
    tmp_path: Path, changes: dict[str, Any], options: dict[str, Any], told: str
) -> None:
    path = _listings(tmp_path, **changes)
    message = _refused(path, **options)
    assert told in message
    assert message.startswith(str(path))


def test_every_problem_is_told_at_once(tmp_path: Path) -> None:
    path = _listings(tmp_path, item_id=["a", "a", "c", "d", "e", "f"], price=[float("inf"), 2.5, 3, 4, 5, 6])
    assert len(_refused(path, texts=("used",)).splitlines()) == 3


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    assert _refused(tmp_path / "none.parquet").endswith("none.parquet: no such file")
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 and no more")
    assert "broken.parquet: is no intact Parquet file" in _refused(tmp_path / "broken.parquet")
    empty = write(tmp_path / "empty.parquet", item_id=pa.array([], pa.string()))
    assert _refused(empty) == f"{empty}: holds no items"
