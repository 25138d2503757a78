"""Generated schemas, data and filters against the oracle."""

from __future__ import annotations

from itertools import chain
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engines.base import Capabilities, Field, Schema
from engines.filters import And, Eq, Exists, Filter, In, Not, Or, Range
from tests.conformance.model import Model
from tests.conformance.subjects import Subject

WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6) | st.sampled_from(
    ["a", "b", "'", '"', "\\", "%"]
)
# Up to 2^53: what lies beyond has a test of its own, for not every engine can compare it.
INTEGERS = st.integers(-4, 4) | st.sampled_from([-(2**53), 2**53, 2**40])
FLOATS = st.sampled_from([-1.5, 0.0, 0.5, 1.0]) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = {
    "keyword": WORDS,
    "integer": INTEGERS,
    "float": FLOATS,
    "boolean": st.booleans(),
    "tags": st.lists(WORDS, max_size=3),
}


def values_of(field: Field) -> st.SearchStrategy[Any]:
    return st.none() | VALUES[field.kind] if field.optional else VALUES[field.kind]


@st.composite
def schemas(draw: st.DrawFn, can: Capabilities) -> Schema:
    """Tags, and fields that items may lack, only where the engine can hold them."""
    kinds = [kind for kind in VALUES if kind != "tags" or (can.tags and can.missing)]
    names = draw(
        st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True, max_size=4)
    )
    optional = st.booleans() if can.missing else st.just(False)
    fields = [Field(name, draw(st.sampled_from(kinds)), draw(optional)) for name in names]
    return Schema(draw(st.integers(2, 5)), draw(st.sampled_from(["l2", "ip", "cosine"])), tuple(fields))


@st.composite
def leaves(draw: st.DrawFn, schema: Schema, present: dict[str, list[Any]]) -> Filter:
    field = draw(st.sampled_from(schema.fields))
    kind = "keyword" if field.kind == "tags" else field.kind
    known = chain.from_iterable(
        value if isinstance(value, list) else [value] for value in present[field.name]
    )
    values = (
        st.sampled_from([value for value in known if value is not None] or [draw(VALUES[kind])])
        | VALUES[kind]
    )
    operators = ["eq", "in", "exists"] + ["range"] * (field.kind in ("integer", "float"))
    match draw(st.sampled_from(operators)):
        case "exists":
            return Exists(field.name)
        case "eq":
            return Eq(field.name, draw(values))
        case "in":
            return In(field.name, tuple(draw(st.lists(values, max_size=4))))
    names = draw(st.lists(st.sampled_from(["gt", "gte", "lt", "lte"]), min_size=1, max_size=2, unique=True))
    return Range(field.name, **{name: draw(values) for name in names})


def filters(schema: Schema, present: dict[str, list[Any]]) -> st.SearchStrategy[Filter]:
    return st.recursive(
        leaves(schema, present),
        lambda inner: (
            st.builds(Not, inner)
            | st.builds(And, st.lists(inner, max_size=3).map(tuple))
            | st.builds(Or, st.lists(inner, max_size=3).map(tuple))
        ),
        max_leaves=5,
    )


@st.composite
def collections(
    draw: st.DrawFn, can: Capabilities
) -> tuple[Schema, list[tuple[list[int], np.ndarray, dict[str, list[Any]], list[int]]]]:
    """A schema and rounds of (ids, vectors, columns, ids to delete afterwards)."""
    schema = draw(schemas(can))
    rounds = []
    for _ in range(draw(st.integers(1, 2))):
        ids = draw(st.lists(st.integers(0, 20) | st.integers(0, 2**62), min_size=1, max_size=25))
        flat = draw(
            st.lists(st.integers(-3, 3), min_size=len(ids) * schema.dim, max_size=len(ids) * schema.dim)
        )
        columns = {
            field.name: draw(st.lists(values_of(field), min_size=len(ids), max_size=len(ids)))
            for field in schema.fields
        }
        deleted = draw(st.lists(st.sampled_from(ids) | st.integers(0, 20), max_size=5))
        rounds.append((ids, np.array(flat, dtype=np.float32).reshape(len(ids), schema.dim), columns, deleted))
    return schema, rounds


@settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(data=st.data())
def test_any_collection_and_filter(subject: Subject, data: st.DataObject) -> None:
    schema, rounds = data.draw(collections(subject.kind.capabilities))
    directed = subject.variant.directed and schema.metric == "cosine"
    for _, vectors, *_ in rounds if directed else ():
        vectors[~vectors.any(axis=1)] = 1
    model = Model(schema, subject.created(schema))
    try:
        for ids, vectors, columns, deleted in rounds:
            model.upsert(ids, vectors, **columns)
            model.delete(deleted)
            model.settle()
        present = rounds[-1][2]
        for _ in range(3):
            where = data.draw(st.none() | filters(schema, present) if schema.fields else st.none())
            query = data.draw(st.lists(st.integers(-3, 3), min_size=schema.dim, max_size=schema.dim))
            if directed and not any(query):
                query = [1] * schema.dim
            model.check_exact(
                np.array([query], dtype=np.float32), data.draw(st.sampled_from([1, 5, 40])), where
            )
    finally:
        model.engine.close()
