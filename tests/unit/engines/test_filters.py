from __future__ import annotations

import operator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.base import Field, Schema
from engines.columns import Column
from engines.filters import (
    INT64,
    And,
    Eq,
    Exists,
    Filter,
    In,
    Not,
    Or,
    Range,
    check,
    integer_interval,
    leaves,
    matches,
)
from engines.values.columns import column_of

SCHEMA = Schema(
    2,
    "l2",
    (
        Field("brand", "keyword"),
        Field("price", "integer"),
        Field("rating", "float"),
        Field("new", "boolean"),
        Field("colours", "tags"),
        Field("size", "keyword", optional=True),
        Field("stock", "integer", optional=True),
        Field("weight", "float", optional=True),
        Field("sale", "boolean", optional=True),
    ),
)
WORDS = ["", "a", "b", "it's", "é", "a\0"]
INTEGERS = [*INT64, -(2**53) - 1, 2**53, 2**53 + 1, -1, 0, 1, 2]
FLOATS = [-1e300, -1.5, -0.0, 0.0, 0.1, 1.0, 2.5, float(2**53), 1e300]
NUMBERS = st.sampled_from([*INTEGERS, *FLOATS, 2**70, -(2**70), 1.5])
VALUES = st.sampled_from(WORDS) | NUMBERS | st.booleans()
COLUMNS: dict[str, list[Any]] = {
    "brand": [WORDS[row % len(WORDS)] for row in range(36)],
    "price": [INTEGERS[row % len(INTEGERS)] for row in range(36)],
    "rating": [FLOATS[row * 5 % len(FLOATS)] for row in range(36)],
    "new": [row % 5 < 2 for row in range(36)],
    "colours": [[word for place, word in enumerate(WORDS) if row >> place & 1] for row in range(36)],
    "size": [WORDS[row % 3] if row % 2 else None for row in range(36)],
    "stock": [INTEGERS[row % len(INTEGERS)] if row % 3 else None for row in range(36)],
    "weight": [FLOATS[row % len(FLOATS)] if row % 4 else None for row in range(36)],
    "sale": [None if row % 5 < 2 else row % 2 == 0 for row in range(36)],
}
ARRAYS: dict[str, Column] = {
    field.name: column_of(COLUMNS[field.name], field.kind) for field in SCHEMA.fields
}


def comparisons(names: st.SearchStrategy[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[Filter]:
    bounds = st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), NUMBERS, min_size=1)
    return (
        st.builds(Eq, names, values)
        | st.builds(In, names, st.lists(values, max_size=4).map(tuple))
        | st.builds(lambda name, given: Range(name, **given), names, bounds)
        | st.builds(Exists, names)
    )


def filters(leaf: st.SearchStrategy[Filter]) -> st.SearchStrategy[Filter]:
    return st.recursive(
        leaf,
        lambda inner: (
            st.builds(Not, inner)
            | st.builds(And, st.lists(inner, max_size=3).map(tuple))
            | st.builds(Or, st.lists(inner, max_size=3).map(tuple))
        ),
        max_leaves=6,
    )


KNOWN = filters(comparisons(st.sampled_from(list(COLUMNS)), VALUES))


def holds(where: Filter | None, row: dict[str, Any]) -> bool:  # noqa: PLR0911 - one a node type
    """What a filter means, row by row and straight from the definition."""
    match where:
        case None:
            return True
        case Eq(name, value):
            own = row[name] if isinstance(row[name], list) else [row[name]]
            return any(same(word, value) for word in own)
        case In(name, values):
            return any(holds(Eq(name, value), row) for value in values)
        case Exists(name):
            return row[name] is not None and row[name] != []
        case Range(name):
            if row[name] is None or isinstance(row[name], str | bool | list):
                return False
            given = {relation: getattr(where, relation) for relation in ("gt", "gte", "lt", "lte")}
            relations = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
            return all(
                relations[key](row[name], float(bound) if isinstance(row[name], float) else bound)
                for key, bound in given.items()
                if bound is not None
            )
        case And(inner):
            return all(holds(part, row) for part in inner)
        case Or(inner):
            return any(holds(part, row) for part in inner)
        case Not(inner):
            return not holds(inner, row)


def same(stored: Any, value: Any) -> bool:
    if isinstance(stored, str) or isinstance(value, str):
        return isinstance(stored, str) and isinstance(value, str) and stored == value
    if isinstance(stored, bool) or isinstance(value, bool):
        return stored is value
    return stored == float(value) if isinstance(stored, float) else stored == value


@given(KNOWN | st.none())
def test_matches_agrees_with_a_row_by_row_reading(where: Filter | None) -> None:
    rows = [dict(zip(COLUMNS, values, strict=True)) for values in zip(*COLUMNS.values(), strict=True)]
    mask = matches(where, ARRAYS, len(rows))
    assert mask.dtype == np.bool_
    assert mask.tolist() == [holds(where, row) for row in rows]


@given(KNOWN, st.integers(0, 36), st.integers(0, 36))
def test_matches_works_on_parts_of_columns(where: Filter, start: int, stop: int) -> None:
    part = slice(min(start, stop), max(start, stop))
    columns = {name: column[part] for name, column in ARRAYS.items()}
    assert (
        matches(where, columns, part.stop - part.start).tolist() == matches(where, ARRAYS, 36)[part].tolist()
    )


@pytest.mark.parametrize(
    "where", [Range("price", gt=1, lt=2), Range("price", gte=2**70), Range("price", gt=5, lt=3)]
)
def test_a_range_without_an_integer_in_it_matches_nothing(where: Range) -> None:
    assert not matches(where, ARRAYS, 36).any()


def test_matches_returns_a_mask_of_the_callers_own() -> None:
    flag = np.array([True, False])
    mask = matches(Eq("new", True), {"new": flag}, 2)
    mask[:] = False
    assert flag.tolist() == [True, False]


def test_matches_names_a_missing_column() -> None:
    with pytest.raises(KeyError, match="colour"):
        matches(Eq("colour", "red"), ARRAYS, 36)


def test_a_range_needs_a_bound() -> None:
    with pytest.raises(ValueError, match="a range over 'price' needs one of gt, gte, lt, lte"):
        Range("price")


def test_leaves_come_left_to_right() -> None:
    first, second, third = Eq("a", 1), In("b", (2,)), Range("c", gt=3)
    assert list(leaves(And((first, Not(Or((second, third))))))) == [first, second, third]


@pytest.mark.parametrize(
    ("where", "problems"),
    [
        (None, []),
        (Eq("brand", "a"), []),
        (Eq("price", 2**63 - 1), []),
        (In("rating", (1, 2.5)), []),
        (Eq("new", False), []),
        (Range("price", gt=1.5), []),
        (
            Eq("colour", "red"),
            [
                "unknown column 'colour' (did you mean 'colours'? the dataset has: brand, price, "
                "rating, new, colours, size, stock, weight, "
                "sale)"
            ],
        ),
        (And((Exists("colours"), Exists("brand"), Eq("colours", "red"))), []),
        (Eq("colours", 3), ["'colours' is tags, it cannot equal 3"]),
        (Range("colours", gt=1), ["'colours' is tags, a range needs integer or float"]),
        (Eq("brand", 3), ["'brand' is keyword, it cannot equal 3"]),
        (Eq("price", "3"), ["'price' is integer, it cannot equal '3'"]),
        (Eq("price", 2.5), ["'price' is integer, it cannot equal 2.5"]),
        (Eq("price", 2**63), [f"'price' is integer, it cannot equal {2**63}"]),
        (Eq("price", True), ["'price' is integer, it cannot equal True"]),
        (
            In("rating", (1.5, False, "x")),
            ["'rating' is float, it cannot equal False", "'rating' is float, it cannot equal 'x'"],
        ),
        (Eq("new", 1), ["'new' is boolean, it cannot equal 1"]),
        (Range("brand", gt=1), ["'brand' is keyword, a range needs integer or float"]),
        (Not(Range("new", gt=1)), ["'new' is boolean, a range needs integer or float"]),
    ],
)
def test_check_reports_what_does_not_fit(where: Filter | None, problems: list[str]) -> None:
    assert check(where, SCHEMA) == problems


def test_check_of_a_schema_without_fields() -> None:
    assert check(Eq("a", 1), Schema(2, "l2")) == ["unknown column 'a' (the dataset has: none)"]


@given(st.dictionaries(st.sampled_from(["gt", "gte", "lt", "lte"]), NUMBERS, min_size=1))
def test_integer_interval_holds_the_same_integers(bounds: dict[str, float]) -> None:
    interval = integer_interval(Range("price", **bounds))
    for number in {near for value in INTEGERS for near in (value - 1, value, value + 1)}:
        if INT64[0] <= number <= INT64[1]:
            inside = interval is not None and interval[0] <= number <= interval[1]
            assert inside == holds(Range("price", **bounds), {"price": number})
