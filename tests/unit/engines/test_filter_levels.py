"""How deeply filters may be nested: what is taken is written and read again, in whatever form it was written."""

from __future__ import annotations

from typing import Any

import pytest

from engines.values.filter_syntax import DEEPEST, FilterSyntaxError, parse, to_json

# Each takes one level more than the JSON shows.
SHORT: dict[str, dict[str, Any]] = {
    "several keys": {"brand": "Zara", "price": 1},
    "all": {"colour": {"all": ["red", "blue"]}},
    "exists not": {"size": {"exists": False}},
}


def within(data: dict[str, Any], levels: int) -> dict[str, Any]:
    for _ in range(levels):
        data = {"not": data}
    return data


@pytest.mark.parametrize("data", SHORT.values(), ids=SHORT)
def test_short_forms_count_as_what_they_stand_for(data: dict[str, Any]) -> None:
    deepest = parse(within(data, DEEPEST - 1))
    assert parse(to_json(deepest)) == deepest
    with pytest.raises(FilterSyntaxError, match="nested more than 20 levels deep"):
        parse(within(data, DEEPEST))


def test_several_keys_within_each_other_count_each_time() -> None:
    data: dict[str, Any] = {"brand": "Zara"}
    for _ in range(DEEPEST // 2):
        data = {"price": 1, "not": data}
    deepest = parse(data)
    assert parse(to_json(deepest)) == deepest
    with pytest.raises(FilterSyntaxError, match="several keys in one object count as an and"):
        parse({"price": 1, "not": data})


def test_single_conditions_count_as_none() -> None:
    for data in ({"colour": {"all": ["red"]}}, {"size": {"exists": True}}, {"colour": ["red", "blue"]}):
        deepest = parse(within(data, DEEPEST))
        assert parse(to_json(deepest)) == deepest
