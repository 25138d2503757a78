"""The JSON form of filters: read, written, and what is malformed explained."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.filters import And, Eq, Exists, Filter, In, Not, Range, leaves
from engines.values.filter_syntax import RESERVED, FilterSyntaxError, parse, to_json
from tests.unit.engines.test_filters import NUMBERS, comparisons, filters

NAMES = st.text().filter(lambda name: name not in RESERVED)


@given(filters(comparisons(NAMES, st.text() | NUMBERS | st.booleans())))
def test_parse_undoes_to_json(where: Filter) -> None:
    assert parse(to_json(where)) == where


@pytest.mark.parametrize("nothing", [None, {}])
def test_no_filter(nothing: object) -> None:
    assert parse(nothing) is None
    assert to_json(None) == {}
    assert list(leaves(None)) == []


def test_all_exists_and_their_opposite() -> None:
    assert parse({"colours": {"all": ["red", "blue"]}}) == And((Eq("colours", "red"), Eq("colours", "blue")))
    assert parse({"colours": {"all": ["red"]}}) == Eq("colours", "red")
    assert parse({"size": {"exists": True}}) == Exists("size")
    assert parse({"size": {"exists": False}}) == Not(Exists("size"))


def test_several_keys_mean_all_of_them() -> None:
    data = {"brand": "Zara", "size": ["S", "M"], "price": {"gte": 10, "lt": 50.5}}
    expected = And((Eq("brand", "Zara"), In("size", ("S", "M")), Range("price", gte=10, lt=50.5)))
    assert parse(data) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], 'a filter must be an object such as {"brand": "Zara"}, got []'),
        ("brand", 'a filter must be an object such as {"brand": "Zara"}, got "brand"'),
        (
            {"and": {"brand": "a"}},
            '\'and\' must hold a list of filters, got {"brand": "a"}; write {"brand": "a"}',
        ),
        ({"or": [None]}, "'or' must not hold an empty filter"),
        ({"and": ["a"]}, 'a filter must be an object such as {"brand": "Zara"}, got "a"'),
        ({"not": {}}, "'not' must not hold an empty filter"),
        ({"price": {}}, "'price' takes the bounds gt, gte, lt, lte, or exists, or all, got {}"),
        (
            {"price": {"over": 3}},
            "'price' takes the bounds gt, gte, lt, lte, or exists, or all, got {\"over\": 3}",
        ),
        (
            {"size": {"exists": 1}},
            '\'size.exists\' must be true or false, got 1; write {"size": {"exists": true}}',
        ),
        ({"colours": {"all": []}}, "'colours.all' must be a list of at least one value, got []"),
        (
            {"colours": {"all": "red"}},
            '\'colours.all\' must be a list of at least one value, got "red"; write {"colours": {"all": ["red"]}}',
        ),
        (
            {"price": {"exists": True, "gt": 3}},
            '\'price\': exists and all stand alone, got {"exists": true, "gt": 3}; join conditions '
            'by \'and\'; write {"and": [{"price": {"exists": true}}, {"price": {"gt": 3}}]}',
        ),
        ({"price": {"gt": "3"}}, '\'price.gt\' must be a finite number, got "3"; write {"price": {"gt": 3}}'),
        ({"price": {"gt": True}}, "'price.gt' must be a finite number, got true"),
        ({"price": {"gt": None}}, "'price.gt' must be a finite number, got null"),
        ({"price": {"lt": math.nan}}, "'price.lt' must be a finite number, got nan"),
        ({"price": {"lt": math.inf}}, "'price.lt' must be a finite number, got inf"),
        ({1: 2}, 'a column\'s name must be text, got 1; put it in quotes; write {"1": 2}'),
        ({"price": math.inf}, "'price' must be compared with a finite number, got inf"),
        (
            {"brand": None},
            '\'brand\' must be compared with text, a number or a boolean, got null; write {"brand": {"exists": false}}',
        ),
        ({"brand": ["a", None]}, "'brand' must be compared with text, a number or a boolean, got null"),
    ],
)
def test_malformed_filters_are_explained(data: object, message: str) -> None:
    with pytest.raises(FilterSyntaxError) as error:
        parse(data)
    assert str(error.value) == message


def test_numbers_beyond_float64_are_not_finite() -> None:
    with pytest.raises(FilterSyntaxError, match="must be compared with a finite number"):
        parse({"price": 10**400})
