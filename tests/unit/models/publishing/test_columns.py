"""Names and fills of a dataset's columns: each usable in a filter, no fill one that a filter asks for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.data.items import Categories, Items
from models.publishing.columns import below, filterable, layout, table
from tests.unit.models.publishing.shop import listings, objects


def test_columns_keep_their_names_and_gaps_are_filled() -> None:
    laid = layout(listings())
    assert (laid.id, laid.listed) == ("id", "listed_ms")
    assert laid.categories == {"size": "size", "kind": "kind"}
    assert laid.fill == {"kind": "unknown", "price": -1.0}  # nothing of size is missing


def test_names_that_filters_cannot_use_are_changed() -> None:
    one = Categories.encode(["x"])
    items = Items(
        objects(["a"]),
        {"and": one, "id": one, "": one, "listed_ms": one, "title": one},
        {"and": np.ones(1), "and_": np.ones(1)},
        {"title": objects(["x"]), "id": objects(["y"]), "text": objects(["z"])},
        np.zeros(1, np.int64),
    )
    laid = layout(items)
    assert laid.categories == {"and": "and_", "id": "id", "": "_", "listed_ms": "listed_ms", "title": "title"}
    assert laid.numbers == {"and": "and__", "and_": "and___"}
    assert laid.texts == {"text": "text"}  # the others are there as categories
    assert (laid.listed, laid.id) == ("listed_ms_", "id_")
    names = table(items, laid).column_names
    assert len(set(names)) == len(names) == 10


def test_a_fill_is_no_value_of_the_column() -> None:
    column = Categories.encode(["unknown", "unknown_", None])
    assert layout(Items(objects([1, 2, 3]), {"brand": column})).fill == {"brand": "unknown__"}


@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300), min_size=0, max_size=5),
    st.floats(0, 1),
)
def test_no_range_of_a_history_reaches_the_fill_of_numbers(values: list[float], widen: float) -> None:
    fill = below(np.array([*values, np.nan]))
    assert np.isfinite(fill)
    for low in values:
        assert fill < low - widen * abs(low)


def test_what_is_missing_is_null_and_matches_nothing() -> None:
    items = listings(20)
    laid = layout(items)
    held = table(items, laid)
    assert held.column("kind").null_count == 2
    assert held.column("price").null_count == 2
    assert held.column("kind").to_pylist() == items.categories["kind"].decode()
    assert held.column("title").to_pylist() == items.texts["title"].tolist()
    assert held.column("listed_ms").to_pylist() == [1000 * row for row in range(20)]
    kind = filterable(items, laid)["kind"]
    assert kind.codes[9] == -1  # type: ignore[union-attr]


@pytest.mark.parametrize("ids", [[5, -(2**40)], ["a", "\u00e4"]])
def test_ids_keep_their_type(ids: list[object]) -> None:
    items = Items(objects(ids))
    assert table(items, layout(items)).column("id").to_pylist() == ids
