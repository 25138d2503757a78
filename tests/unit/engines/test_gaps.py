"""Columns of tags and of values that may be missing: what they hold, their parts, and a store of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.abilities import require_fields
from engines.base import Batch, Capabilities, Field, FieldKind, Schema, UnsupportedError
from engines.columns import (
    Column,
    Keywords,
    Nullable,
    Tags,
    arrays_of,
    column_from,
    decoded,
    occurring,
    present,
)
from engines.filters import Eq, Exists, Filter, Not, Range, matches
from engines.values.columns import ColumnStore, column_of

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=3) | st.sampled_from("ab")
VALUES: dict[FieldKind, st.SearchStrategy[Any]] = {
    "keyword": st.none() | WORDS,
    "tags": st.lists(WORDS, max_size=3, unique=True),
    "integer": st.none() | st.integers(-9, 9),
    "float": st.none() | st.sampled_from([-0.5, 0.0, 2.0]),
    "boolean": st.none() | st.booleans(),
}
SCHEMA = Schema(2, "l2", tuple(Field(kind, kind, optional=True) for kind in VALUES))
ROWS = st.fixed_dictionaries(VALUES)


def ordered(values: list[Any]) -> list[Any]:
    """Lists of tags in one order: a column may hold those of an item in any."""
    return [sorted(value) if isinstance(value, list) else value for value in values]


def columns(rows: list[dict[str, Any]]) -> dict[str, Column]:
    return {field.name: column_of([row[field.name] for row in rows], field.kind) for field in SCHEMA.fields}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(ROWS, max_size=8), st.lists(st.integers(0, 7)), st.data())
def test_columns_hold_what_they_were_given_and_so_do_their_parts(
    rows: list[dict[str, Any]], picked: list[int], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(rows)))
    chosen = np.array([number for number in picked if number < len(rows)], dtype=np.int64)
    mask = np.arange(len(rows)) % 2 == 0
    for name, column in columns(rows).items():
        expected = ordered([row[name] for row in rows])
        assert len(column) == len(rows)
        assert ordered(decoded(column)) == expected
        assert ordered(decoded(column[start:])) == expected[start:]
        assert ordered(decoded(column[chosen])) == [expected[number] for number in chosen]
        assert ordered(decoded(column[mask])) == expected[::2]
        known = present(column)
        has = [value is not None and value != [] for value in expected]
        assert (has if known is None else known.tolist()) == (
            has if known is not None else [True] * len(rows)
        )
        assert len(occurring(column)) == sum(
            len(v) if isinstance(v, list) else v is not None for v in expected
        )
        words = column.vocabulary if isinstance(column, Keywords | Tags) else None
        assert ordered(decoded(column_from(arrays_of(column), words))) == expected


FILTERS: list[Filter] = [
    *(Exists(name) for name in VALUES),
    *(Not(Eq(name, "a")) for name in ("keyword", "tags")),
    Eq("tags", "b"),
    Not(Range("integer", gte=0)),
    Range("float", lt=1),
    Not(Eq("boolean", False)),
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.tuples(st.dictionaries(st.integers(0, 9), ROWS, max_size=6), st.lists(st.integers(0, 9))),
        max_size=4,
    )
)
def test_a_store_of_them_behaves_as_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[tuple[dict[int, dict[str, Any]], list[int]]]
) -> None:
    store, expected = ColumnStore(SCHEMA), dict[int, dict[str, Any]]()
    for written, deleted in rounds:
        ids = np.array(list(written), dtype=np.int64)
        store.append(Batch(ids, np.zeros((len(ids), 2), np.float32), columns(list(written.values()))))
        store.delete(np.array(deleted, dtype=np.int64))
        expected = {id_: row for id_, row in (expected | written).items() if id_ not in deleted}
    path = tmp_path_factory.mktemp("store")
    store.save(path)
    for candidate in (store, ColumnStore.load(path, SCHEMA)):
        rows = candidate.rows_of(np.array(list(expected), dtype=np.int64))
        for name, column in candidate.columns.items():
            assert ordered(decoded(column[rows])) == ordered([row[name] for row in expected.values()])
        for where in FILTERS:
            mask = candidate.select(where)
            assert mask is not None
            fits = matches(where, columns(list(expected.values())), len(expected))
            wanted = {id_ for id_, fit in zip(expected, fits.tolist(), strict=True) if fit}
            assert set(candidate.ids[mask].tolist()) == wanted


def test_repeated_tags_count_once() -> None:
    assert decoded(Tags.encode([["b", "a", "b"], []])) == [["b", "a"], []]


def test_a_column_without_any_value() -> None:
    assert Keywords.encode([None, None]).decode() == [None, None]
    assert Tags.encode([[], []]).decode() == [[], []]
    assert Nullable(np.zeros(1), np.zeros(1, np.bool_)).decode() == [None]


@pytest.mark.parametrize(
    ("can", "problem"),
    [
        (Capabilities(missing=True), r"it cannot hold tags, several keywords of one item \(tags\)"),
        (
            Capabilities(tags=True),
            r"it cannot hold items that lack a value \(keyword, tags, integer, float, boolean\)",
        ),
    ],
)
def test_an_engine_that_cannot_hold_them_is_told_so(can: Capabilities, problem: str) -> None:
    with pytest.raises(UnsupportedError, match=problem):
        require_fields(can, SCHEMA)
    require_fields(Capabilities(tags=True, missing=True), SCHEMA)
    require_fields(Capabilities(), Schema(2, "l2", (Field("brand", "keyword"),)))
