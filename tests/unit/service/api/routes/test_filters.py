"""Filters of requests."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.base import Field, Schema
from engines.columns import Keywords, Tags
from engines.filters import And, Eq, Exists, Filter, In, Not, Or, Range, matches
from engines.values.columns import column_of
from service.api.routes.filters import contradictions, read_filter
from service.settings.model import LimitSettings

SCHEMA = Schema(
    4,
    "cosine",
    (
        Field("brand", "keyword"),
        Field("size", "integer", optional=True),
        Field("new", "boolean"),
        Field("colours", "tags"),
    ),
)
WORDS = ([], ["red"], ["red", "blue"], ["é", "blue"], ["é", "red", "blue"], ["é"])
ROWS = list(itertools.product(("Zara", "H&M"), (None, *range(-1, 5)), (False, True), WORDS))
COLUMNS = {
    "brand": Keywords.encode([row[0] for row in ROWS]),
    "size": column_of([row[1] for row in ROWS], "integer"),
    "new": np.array([row[2] for row in ROWS]),
    "colours": Tags.encode([row[3] for row in ROWS]),
}


def problems(data: Any, **limits: int) -> list[str]:
    return [str(one) for one in read_filter(data, SCHEMA, LimitSettings(**limits))[1]]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"brand": "Zara", "and": [{"brand": "H&M"}]}, "'brand' must be 'H&M' and something else"),
        ({"and": [{"size": {"gte": 3}}, {"size": {"lt": 3}}]}, "'size' must lie >= 3 and < 3"),
        ({"and": [{"size": {"gte": 3}}, {"size": [1, 2]}]}, "'size' must be 1 and lie >= 3"),
        ({"brand": []}, "'brand' must be one of no values"),
        ({"colours": [], "and": [{"colours": "red"}]}, "'colours' must be one of no values"),
        ({"brand": {"all": ["Zara", "H&M"]}}, "'brand' must be 'H&M' and something else"),
        ({"or": []}, "an empty 'or' matches nothing"),
        ({"or": [{"brand": []}, {"size": {"gt": 2, "lt": 1}}]}, "'size' must lie > 2 and < 1"),
    ],
)
def test_contradictions_are_told(data: Any, told: str) -> None:
    assert any(told in line for line in problems(data)), problems(data)


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"brand": ["Zara", "H&M"], "size": {"gte": 3, "lte": 3}},
        {"or": [{"brand": []}, {"size": 1}]},
        {"not": {"brand": []}},
        {"colours": {"all": ["red", "blue"]}, "and": [{"colours": ["é", "red"]}]},
        {"size": {"exists": True}, "and": [{"size": 3}]},
        {"size": {"exists": False}},
    ],
)
def test_what_can_match_is_taken(data: Any) -> None:
    assert problems(data) == []


def test_unknown_fields_wrong_kinds_and_malformed_filters() -> None:
    assert "where: unknown column 'brnd'" in problems({"brnd": "Zara"})[0]
    assert len(problems({"brand": 3, "size": "M", "new": {"gt": 1}, "colours": {"all": [1]}})) == 4
    assert "a range needs integer or float" in problems({"colours": {"gt": 1}})[0]
    assert "unknown column 'colour'" in problems({"colour": {"exists": True}})[0]
    assert "a filter must be an object" in problems(["brand"])[0]
    assert "'size.gt' must be a finite number" in problems({"size": {"gt": float("nan")}})[0]
    deep: Any = {"brand": "Zara"}
    for _ in range(21):
        deep = {"not": deep}
    assert "nested more than 20 levels" in problems(deep)[0]


def test_limits() -> None:
    many = {"or": [{"size": number} for number in range(3)]}
    assert problems(many, conditions=3) == []
    assert "holds 3 comparisons, of which 2 are allowed" in problems(many, conditions=2)[0]
    of_all = {"colours": {"all": ["a", "b", "c"]}}
    assert problems(of_all, conditions=3, values=1) == []
    assert "holds 3 comparisons, of which 2 are allowed" in problems(of_all, conditions=2)[0]
    assert "'size' has 3 values, of which 2 are allowed" in problems({"size": [1, 2, 3]}, values=2)[0]


SIZES, COLOURS = st.integers(-1, 4), st.sampled_from(["red", "blue", "é"])
LEAVES = st.one_of(
    st.builds(Eq, st.just("brand"), st.sampled_from(["Zara", "H&M", "Arket"])),
    st.builds(Eq, st.just("size"), SIZES),
    st.builds(In, st.just("size"), st.lists(SIZES, max_size=3).map(tuple)),
    st.builds(Range, st.just("size"), gt=SIZES),
    st.builds(Range, st.just("size"), gte=SIZES, lt=SIZES),
    st.builds(Range, st.just("size"), lte=SIZES),
    st.builds(Eq, st.just("new"), st.booleans()),
    st.builds(Exists, st.sampled_from(["size", "colours", "brand"])),
    st.builds(Eq, st.just("colours"), COLOURS),
    st.builds(In, st.just("colours"), st.lists(COLOURS, max_size=2).map(tuple)),
)
FILTERS: st.SearchStrategy[Filter] = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: And(tuple(parts))),
        st.lists(inner, max_size=3).map(lambda parts: Or(tuple(parts))),
        inner.map(Not),
    ),
    max_leaves=6,
)


@given(FILTERS)
def test_what_is_refused_matches_nothing(where: Filter) -> None:
    if contradictions(where, SCHEMA):
        assert not matches(where, COLUMNS, len(ROWS)).any()


VALUES = st.one_of(
    st.builds(Eq, st.just("brand"), st.sampled_from(["Zara", "H&M"])),
    st.builds(Eq, st.just("size"), SIZES),
    st.builds(In, st.just("size"), st.lists(SIZES, max_size=3).map(tuple)),
    st.builds(Range, st.just("size"), gte=SIZES),
    st.builds(Range, st.just("size"), lte=SIZES),
    st.builds(Exists, st.sampled_from(["size", "colours"])),
    st.builds(Eq, st.just("colours"), COLOURS),
    st.builds(In, st.just("colours"), st.lists(COLOURS, max_size=2).map(tuple)),
)


@given(st.lists(VALUES, min_size=1, max_size=4))
def test_a_conjunction_of_values_that_matches_nothing_is_refused(parts: list[Filter]) -> None:
    where = And(tuple(parts))
    assert bool(contradictions(where, SCHEMA)) != matches(where, COLUMNS, len(ROWS)).any()
