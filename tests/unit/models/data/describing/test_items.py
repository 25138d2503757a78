"""A file of items, described: every column, and the YAML that says the same."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import yaml

from models.data.describing.items import describe_items
from models.data.reading.item_file import read_items
from models.data.reading.options import ItemOptions
from models.data.reading.table import parquet_table
from tests.unit.models.data.made import write


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write(
        tmp_path / "items.parquet",
        item_id=["a", "b", "c", "d", "e", "f"],
        brand=["Acme", "Acme", "Zed", None, "Acme", "Zed"],
        title=["red wool coat\nof ours", "blue coat", None, "green silk dress", "coat in grey", " "],
        price=[9.5, None, 3.0, 20.25, float("nan"), 1700.0],
        used=[True, False, True, True, None, True],
        listed=[datetime(2020, 9, day) for day in (1, 2, 3, 4, 5)] + [None],
        url=["x1", "x2", "x3", "x4", "x5", "x6"],
        shop=["one"] * 6,
        empty=pa.nulls(6),
        tags=[["a"], [], None, ["b"], ["c"], ["d"]],
    )


def described(path: Path, **options: Any) -> str:
    given = ItemOptions(**options)
    return describe_items(parquet_table(path), read_items(path, given), given)


def rows(text: str) -> dict[str, list[str]]:
    """The cells of each column's line, but for its name."""
    lines = [line.split("  ") for line in text.splitlines() if line.startswith("  ") and ":" not in line[:14]]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    return {name: rest for name, *rest in cells}


def test_every_column_is_shown_with_what_it_is_and_why(path: Path) -> None:
    text = described(path)
    assert text.startswith(f"{path}: 6 items, 10 columns\ncolumns\n")
    found = rows(text)
    assert list(found) == [
        "item_id",
        "brand",
        "title",
        "price",
        "used",
        "listed",
        "url",
        "shop",
        "empty",
        "tags",
    ]
    assert found["item_id"] == ["id", "string", "6 values", "0 missing", "named by items.id", "a, b, c"]
    assert found["brand"] == [
        *("category", "string", "2 values", "1 missing", "2 different strings"),
        "Acme 60.0%, Zed 40.0%",
    ]
    assert found["title"][:4] == ["text", "string", "4 values", "2 missing"]
    assert found["title"][-1] == "red wool coat\\nof ours, blue coat, green silk dress"
    assert found["price"] == [
        *("number", "double", "4 values", "2 missing", "numbers with fractions", "3 to 1,700"),
    ]
    assert found["used"][-1] == "true 80.0%, false 20.0%"
    for name, why, like in (
        (
            "listed",
            "a time; it is read where items.listed names it",
            "2020-09-01 00:00:00, 2020-09-02 00:00:00",
        ),
        ("url", "an id: single words, 100% of them in one row only", "x1, x2, x3"),
        ("shop", "holds the same value wherever it holds one", "one"),
        ("tags", "are not read", "['a'], [], ['b']"),
    ):
        assert found[name][0] == "left out"
        assert why in found[name][-2]
        assert found[name][-1].startswith(like)
    assert found["empty"][-1] == "holds no value"
    assert "\nwithout text 2 items\n" in text


def test_its_yaml_reads_the_file_in_the_same_way(path: Path) -> None:
    for options in (
        {},
        {"texts": ["url", "title"], "categories": ["shop"], "listed": "listed", "leave_out": ["used"]},
    ):
        text = described(path, **options)
        data = yaml.safe_load(text.partition("bakeoff train:\n")[2])
        assert data.keys() == {"items"}
        again = ItemOptions(**data["items"])
        wanted, found = read_items(path, ItemOptions(**options)), read_items(path, again)
        assert [c.read_as for c in found.columns] == [c.read_as for c in wanted.columns]


def test_a_file_without_texts_says_nothing_of_them(tmp_path: Path) -> None:
    path = write(tmp_path / "bare.parquet", item_id=[1, 2, 3])
    text = described(path)
    assert "without text" not in text
    assert yaml.safe_load(text.partition("bakeoff train:\n")[2]) == {"items": {"id": "item_id"}}


def test_when_items_were_listed_is_a_span(path: Path) -> None:
    assert (
        rows(described(path, listed="listed"))["listed"][-1] == "2020-09-01 00:00:00 to 2020-09-05 00:00:00"
    )
