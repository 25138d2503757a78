"""Filters in the form of other systems: the message shows ours, as JSON that parses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.filters import Eq
from engines.values.filter_dialects import milliseconds, translated
from engines.values.filter_syntax import FilterSyntaxError, advised, parse, to_json

FORMS: list[tuple[Any, Any]] = [
    ({"brand": {"in": ["a", "b"]}}, {"brand": ["a", "b"]}),
    ({"brand": {"$in": ["a"]}}, {"brand": ["a"]}),
    ({"brand": {"$nin": ["a"]}}, {"not": {"brand": ["a"]}}),
    ({"brand": {"$eq": "a"}}, {"brand": "a"}),
    ({"brand": {"ne": "a"}}, {"not": {"brand": "a"}}),
    ({"brand": {"$ne": None}}, {"brand": {"exists": True}}),
    ({"brand": None}, {"brand": {"exists": False}}),
    ({"price": {"$gte": 1, "$lt": 5}}, {"price": {"gte": 1, "lt": 5}}),
    ({"price": {">=": 1}}, {"price": {"gte": 1}}),
    ({"price": {"min": 1, "max": 5}}, {"price": {"gte": 1, "lte": 5}}),
    ({"price": {"between": [1, 5]}}, {"price": {"gte": 1, "lte": 5}}),
    ({"price": {"gte": "1", "lt": "2.5"}}, {"price": {"gte": 1, "lt": 2.5}}),
    ({"at": {"gte": "2024-05-06"}}, {"at": {"gte": 1_714_953_600_000}}),
    ({"at": {"lt": "2024-05-06T02:00:00+02:00"}}, {"at": {"lt": 1_714_953_600_000}}),
    ({"$and": [{"a": 1}, {"b": {"$gt": 2}}]}, {"and": [{"a": 1}, {"b": {"gt": 2}}]}),
    ({"must": [{"key": "a", "match": {"value": "x"}}]}, {"a": "x"}),
    ({"must": [{"key": "a", "range": {"gte": 1}}], "must_not": [{"key": "b", "match": {"any": ["x"]}}]},
     {"a": {"gte": 1}, "not": {"b": ["x"]}}),
    ({"should": [{"key": "a", "match": {"value": 1}}, {"b": 2}]}, {"or": [{"a": 1}, {"b": 2}]}),
    ({"term": {"a": "x"}}, {"a": "x"}),
    ({"terms": {"a": ["x", "y"]}}, {"a": ["x", "y"]}),
    ({"bool": {"must": [{"term": {"a": "x"}}, {"range": {"b": {"gt": 1}}}]}}, {"and": [{"a": "x"}, {"b": {"gt": 1}}]}),
    ({"field": "a", "op": "in", "value": ["x"]}, {"a": ["x"]}),
    ({"colour": {"contains_all": ["r", "b"]}}, {"colour": {"all": ["r", "b"]}}),
    ({"a": {"match": {"value": "x"}}}, {"a": "x"}),
    ([{"a": {"eq": 1}}, {"b": 2}], {"and": [{"a": 1}, {"b": 2}]}),
]  # fmt: skip


@pytest.mark.parametrize(("theirs", "ours"), FORMS)
def test_the_form_to_write_is_shown_as_json(theirs: Any, ours: Any) -> None:
    assert translated(theirs) == ours
    advice = advised(theirs)
    assert advice == f"write {json.dumps(ours)}"
    assert parse(json.loads(advice.removeprefix("write "))) is not None
    try:
        parse(theirs)
    except FilterSyntaxError as error:
        assert str(error).count("; write {") == 1
        assert str(error).endswith(f"; {advice}")
    else:  # well formed, of columns that are called so; what does not fit the columns is told by who knows them
        assert theirs.keys() & {"field"}


@pytest.mark.parametrize(
    "ours",
    [
        {"brand": "a"}, {"brand": ["a"]}, {"price": {"gte": 1}}, {"size": {"exists": False}}, {"c": {"all": ["a"]}},
        {"and": [{"a": 1}, {"b": 2}]}, {"not": {"a": 1}}, {"key": "a", "brand": "b"}, {"name": "a", "type": "b"},
        {"day": "2024-05-06"},
    ],
)  # fmt: skip
def test_our_own_form_is_left_alone(ours: dict[str, Any]) -> None:
    assert translated(ours) is None
    assert parse(ours) is not None


@pytest.mark.parametrize(
    "unknown",
    [
        {"a": {"geo": {"lat": 1}}}, {"a": {"over": 3}}, {"a": {"gte": "high"}}, {"a": {"regex": "x.*"}}, "a = 1", [], 3,
        {"a": [{"b": 1}]}, {"bool": {"must": [{"term": {"a": 1}}], "should": [{"term": {"b": 1}}]}},
        {"price": {"gte": True}},
    ],
)  # fmt: skip
def test_what_is_not_understood_gets_no_advice(unknown: Any) -> None:
    assert advised(unknown) == ""
    with pytest.raises(FilterSyntaxError) as caught:
        parse(unknown)
    assert "write" not in str(caught.value)


def test_advice_is_about_the_innermost_filter_and_not_too_long() -> None:
    with pytest.raises(FilterSyntaxError, match=r'; write \{"a": "x"\}$'):
        parse({"or": [{"b": 1}, {"not": {"a": {"$eq": "x"}}}]})
    with pytest.raises(FilterSyntaxError) as caught:
        parse({"a": {"$in": ["x" * 50] * 50}})
    assert "write" not in str(caught.value) and len(str(caught.value)) < 300


def test_nesting_without_end_is_refused_in_time() -> None:
    data: Any = {"a": {"$eq": 1}}
    for _ in range(500):
        data = {"$and": [data]}
    with pytest.raises(FilterSyntaxError):
        parse(data)


WORDS = st.sampled_from([
    "a", "key", "field", "op", "value", "match", "range", "must", "should", "must_not", "bool", "term", "and", "$or",
    "not", "in", "$in", "gte", "between", "all", "exists", "filter", "$eq", "ne",
])  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.sampled_from(["2024-01-01", "1e5"])
)


@given(
    st.recursive(
        LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3)
    )
)
def test_any_json_is_a_filter_or_refused_in_words(data: Any) -> None:
    translated(data, typed=True)
    try:
        where = parse(data)
    except FilterSyntaxError as error:
        assert str(error)
    else:
        assert where is None or parse(to_json(where)) == where


def test_dates() -> None:
    assert milliseconds("1970-01-02") == 86_400_000
    assert milliseconds("1970-01-01T00:00:01Z") == 1000
    assert [milliseconds(text) for text in ("1970", "19700102", "x-1", "2024-13-01", "")] == [None] * 5
    assert translated({"day": "1970-01-02"}, typed=True) == {"day": 86_400_000}
    with pytest.raises(FilterSyntaxError, match=r"'day\.gt' must be a date in milliseconds since 1970, got"):
        parse({"day": {"gt": "1970-01-02"}})
    assert parse({"day": "1970-01-02"}) == Eq("day", "1970-01-02")
