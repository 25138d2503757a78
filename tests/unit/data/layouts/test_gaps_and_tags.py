"""Values that items lack, and several of one item: kept as they are in every kind of file."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.columns import Column, Keywords, Nullable, Tags, decoded
from engines.filters import And, Eq, Exists, Not
from harness.data.describe import describe
from harness.data.user.conversion import as_column, filled, understood
from tests.unit.data.user_data import QUERIES, ROWS, Folder, every

HALF = ROWS // 2
few = settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow])  # it counts the time of imports


def converted(values: list[Any], kind: pa.DataType, fill: object = None) -> Column:
    column = pa.chunked_array(
        [pa.array(values[: len(values) // 2], kind), pa.array(values[len(values) // 2 :], kind)]
    )
    name, column, _ = understood(column, "c")
    return as_column(filled(column, name, fill, "c", "dataset.yaml"), name)


@pytest.mark.parametrize(
    ("values", "type_", "kind", "holds"),
    [
        (["a", None], pa.string(), "keyword", ["a", None]),
        (["a", None], pa.dictionary(pa.int8(), pa.string()), "keyword", ["a", None]),
        ([3, None], pa.uint8(), "integer", [3, None]),
        ([1.5, None], pa.float32(), "float", [1.5, None]),
        ([1.5, float("nan")], pa.float64(), "float", [1.5, None]),
        ([True, None], pa.bool_(), "boolean", [True, None]),
        ([1000, None], pa.timestamp("ms"), "integer", [1000, None]),
        ([["b", "a", "b"], []], pa.list_(pa.string()), "tags", [["a", "b"], []]),
        ([["b", None], None], pa.large_list(pa.string()), "tags", [["b"], []]),
        ([["a"], ["b"]], pa.list_(pa.string(), 1), "tags", [["a"], ["b"]]),
        ([["a"], ["b", "a"]], pa.list_(pa.dictionary(pa.int8(), pa.string())), "tags", [["a"], ["a", "b"]]),
    ],
)
def test_columns_keep_their_gaps(
    values: list[Any], type_: pa.DataType, kind: str, holds: list[Any], folder: Folder
) -> None:
    folder.table(c=pa.array(values * HALF, type_))
    dataset = folder.load()
    (attribute,) = dataset.attributes
    assert attribute.kind == kind
    assert decoded(dataset.columns["c"]) == holds * HALF
    assert attribute.optional == (holds[1] in (None, []))
    assert ("missing" in describe(dataset)) == attribute.optional


@pytest.mark.parametrize(
    ("values", "type_", "fill", "holds"),
    [
        ([["b"], []], pa.list_(pa.string()), "none", [["b"], ["none"]]),
        ([["b"], None], pa.list_(pa.string()), "b", [["b"], ["b"]]),
        ([[None, "b"], [None]], pa.list_(pa.string()), "none", [["b"], ["none"]]),
        ([1.5, float("nan")], pa.float64(), 7, [1.5, 7.0]),
        (["b", None], pa.string(), "none", ["b", "none"]),
        ([1, None], pa.int8(), 1000, [1, 1000]),
    ],
)
def test_fill_stands_in_where_it_is_asked_for(
    values: list[Any], type_: pa.DataType, fill: object, holds: list[Any]
) -> None:
    assert decoded(converted(values, type_, fill)) == holds


@pytest.mark.parametrize("gap", [None, float("nan")])
def test_numbers_that_no_item_has_are_missing(gap: float | None) -> None:
    column = converted([gap, gap, gap], pa.float64())
    assert isinstance(column, Nullable)
    assert column.decode() == [None, None, None]


WORDS = st.sampled_from(["", "a", "b", "é", "a\0", "red"])


@few
@given(st.lists(st.none() | st.lists(st.none() | WORDS, max_size=4), max_size=12))
def test_any_lists_become_tags(rows: list[list[str | None] | None]) -> None:
    column = converted(rows, pa.list_(pa.string()))
    assert isinstance(column, Tags)
    assert column.decode() == [sorted({word for word in row or [] if word is not None}) for row in rows]
    assert column.vocabulary.tolist() == sorted(
        {word for row in rows for word in row or [] if word is not None}
    )


@few
@given(st.lists(st.none() | WORDS, max_size=12))
def test_any_words_with_gaps(words: list[str | None]) -> None:
    column = converted(words, pa.string())
    assert isinstance(column, Keywords) and column.decode() == words


@few
@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), max_size=12))
def test_any_integers_with_gaps(values: list[int | None]) -> None:
    column = converted(values, pa.int64())
    assert decoded(column) == values
    assert isinstance(column, Nullable) == (None in values)
    if isinstance(column, Nullable):
        assert not column.values[~column.present].any()


def test_text_may_be_missing_and_columns_without_any_value_are_named(folder: Folder) -> None:
    """As a shop's articles: descriptions and materials that some lack, a column that nobody filled."""
    folder.table(
        description=every(lambda row: None if row % 4 == 0 else f"article {row}"),
        colours=every(lambda row: ["red", "blue"][: row % 3]),
        season=pa.nulls(ROWS),
    )
    folder.text("dataset.yaml", "metric: cosine\ntext: [description]\n")
    lines: list[Any] = [{"colours": "red"}, {"colours": {"all": ["red", "blue"]}}]
    lines += [{"colours": {"exists": False}}, {}, None]
    folder.text("filters.jsonl", "\n".join(json.dumps(line) for line in lines))
    dataset = folder.load()
    assert [(a.name, a.kind, a.optional) for a in dataset.attributes] == [
        ("description", "text", True),
        ("colours", "tags", True),
    ]
    assert decoded(dataset.columns["description"])[:2] == [None, "article 1"]
    assert dataset.description == "not used: column 'season', which has no values."
    red, blue = Eq("colours", "red"), Eq("colours", "blue")
    assert dataset.filters["filters"][:3] == (red, And((red, blue)), Not(Exists("colours")))


def test_held_out_rows_take_their_gaps_along(folder: Folder) -> None:
    (folder.path / "queries.npy").unlink()
    folder.table(
        row=range(ROWS), n=every(lambda row: row if row % 3 else None), t=every(lambda row: ["x"] * (row % 2))
    )
    dataset = folder.load(f":queries={QUERIES}")
    rows = np.asarray(dataset.columns["row"]).tolist()
    assert decoded(dataset.columns["n"]) == [row if row % 3 else None for row in rows]
    assert decoded(dataset.columns["t"]) == [["x"] * (row % 2) for row in rows]
    assert isinstance(dataset.columns["t"], Tags)


@pytest.mark.parametrize(
    ("values", "fill", "told"),
    [
        ([[1, 2], [3]], None, "type list<"),
        ([{"a": 1}, None], None, "type struct<"),
        ([[["a"]], []], None, "type list<"),
        ([["a"], []], "3", "is tags, fill cannot be 3"),
        ([1.0, float("inf")], None, "row 1 is infinite"),
    ],
)
def test_what_cannot_be_filtered_stays_refused(
    values: list[Any], fill: str | None, told: str, folder: Folder
) -> None:
    folder.table(c=pa.array(values * HALF))
    folder.text("dataset.yaml", "metric: l2\n" + (f"fill: {{c: {fill}}}\n" if fill else ""))
    (problem,) = folder.problems()
    assert problem.startswith("attributes.parquet: column 'c': ") and told in problem
    assert fill or "inf" in told or "leave it out with exclude" in problem
