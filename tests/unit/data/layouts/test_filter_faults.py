"""A mistake in many filters is told once, with what to write instead."""

from __future__ import annotations

import pytest

from tests.unit.data.user_data import QUERIES, ROWS, Folder, every


@pytest.fixture
def shop(folder: Folder) -> Folder:
    folder.table(
        brand=every(lambda row: f"b{row}"),
        price=every(float),
        day=every(lambda row: row),
        size=every(lambda _: ["S"]),
        new=every(lambda row: row > 1),
    )
    return folder


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('{"brand": {"in": ["a"]}}', '; write {"brand": ["a"]}'),
        ("{'brand': 'a'}", 'in double quotes, and true, false and null are lower case: write {"brand": "a"}'),
        ("{'brand': None}", 'null are lower case: write {"brand": {"exists": false}}'),
        ('{"day": "1970-01-02"}', 'is integer, it cannot equal \'1970-01-02\'; write {"day": 86400000}'),
        ('{"day": {"gte": "1970-01-02"}}', '; write {"day": {"gte": 86400000}}'),
        ('{"field": "brand", "op": "==", "value": "a"}', '; write {"brand": "a"}'),
        ('{"key": "brand", "match": {"value": "a"}}', '; write {"brand": "a"}'),
        ('{"size": {"gt": 1}}', "'size' is tags, a range needs integer or float"),
        ('{"brand": 3}', "'brand' is keyword, it cannot equal 3"),
        ("[]", 'a filter must be an object such as {"brand": "Zara"}, got []'),
        ('{"new": "true"}', '; write {"new": true}'),
        ('{"price": "12.5"}', '; write {"price": 12.5}'),
        ('{"price": "cheap"}', "'price' is float, it cannot equal 'cheap'"),
        ('{"size": {"all": "S"}}', '; write {"size": {"all": ["S"]}}'),
        ('{"brand": {"in": "a"}}', '; write {"brand": ["a"]}'),
        ('{"size": {"exists": "yes"}}', '; write {"size": {"exists": true}}'),
        ('{"size": {"exists": 0}}', '; write {"size": {"exists": false}}'),
        ('{"size": {"exists": "maybe"}}', '.exists\' must be true or false, got "maybe"'),
        ('{"size": {"gt": "S"}}', 'must be a finite number, got "S"; keywords and tags have no range'),
        ('{"price": {"gt": "3"}}', 'must be a finite number, got "3"; write {"price": {"gt": 3}}'),
        ('{"brand": "a', "its JSON ends early (Unterminated string starting at); write all of it in one line"),
        ('{"brand": ["a"]', "its JSON ends early (Expecting ',' delimiter); write all of it in one line"),
        ("{", "(Expecting property name enclosed in double quotes); write all of it in one line"),
        ('{"brand": a"}', "is not JSON (Expecting value); write {} for no filter"),
        ("x", "is not JSON (Expecting value); write {} for no filter"),
    ],
)  # fmt: skip
def test_what_to_write_is_told_once(line: str, told: str, shop: Folder) -> None:
    shop.text("filters.jsonl", f"{line}\n" * QUERIES)
    problems = shop.problems()
    assert all(problem.startswith("filters.jsonl: in 5 lines, the first line 1: ") for problem in problems)
    assert problems[0].endswith(told) and len(problems) == (3 if "field" in line else 1)


def test_values_differ_and_the_mistake_is_one(shop: Folder) -> None:
    lines = [f'{{"brand": {{"in": ["a{number}"]}}}}' for number in range(QUERIES - 1)]
    shop.text("filters.jsonl", "\n".join(["{}", *lines]))
    assert shop.problems() == [
        "filters.jsonl: in 4 lines, the first line 2: 'brand' takes the bounds gt, gte, lt, lte, or exists, or all, "
        'got {"in": ["a0"]}; write {"brand": ["a0"]}'
    ]


def test_different_mistakes_are_told_apart(shop: Folder) -> None:
    operators = [
        '{"brand": {"in": ["a"]}}',
        '{"brand": {"over": "a"}}',
        '{"brand": {"in": ["b"]}}',
        "{}",
        "{}",
    ]
    shop.text("filters.jsonl", "\n".join(operators))
    assert [problem.split(": ")[1] for problem in shop.problems()] == [
        "in 2 lines, the first line 1",
        "line 2",
    ]
    shop.text("filters.jsonl", '{"brand": 3}\n{"price": "x"}\n{"brand": 4}\n{"nope": 1}\n{"none": 1}')
    assert [problem.split(": ")[1] for problem in shop.problems()] == [
        "in 2 lines, the first line 1",
        "line 2",
        "line 4",
        "line 5",
    ]
    shop.text("filters.jsonl", '{"brand": "b1"}\n{"price": 3}\n{}\n{"day": {"gt": 3}}\n{"size": "S"}')
    assert len(shop.load().filters["filters"]) == QUERIES
    assert len(shop.load().vectors) == ROWS
