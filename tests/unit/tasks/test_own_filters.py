"""Filters that an item satisfies: of every kind, on every column, and never one that it breaks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from engines.columns import Column, Keywords, Nullable, Tags
from engines.filters import matches
from harness.tasks.own_filters import any_filter, own_filter

N = 60
RNG = np.random.default_rng(2)
COLUMNS: dict[str, Column] = {
    "brand": Keywords.encode([f"b{number}" for number in RNG.integers(0, 4, N)]),
    "flag": RNG.random(N) < 0.5,
    "price": RNG.integers(0, 5, N),
    "weight": np.round(RNG.random(N), 1),
    "size": Keywords.encode([None if number % 3 == 0 else f"s{number % 4}" for number in range(N)]),
    "stock": Nullable(np.arange(N) % 5 * (np.arange(N) % 4 > 0), np.arange(N) % 4 > 0),
    "tags": Tags.encode([[f"t{one}" for one in range(4) if number >> one & 1] for number in range(N)]),
}


@pytest.mark.parametrize(
    "names",
    [["brand"], ["flag"], ["price"], ["weight"], ["size"], ["stock"], ["tags"], sorted(COLUMNS)],
    ids="-".join,
)
def test_an_item_satisfies_its_filters(names: list[str]) -> None:
    columns = {name: COLUMNS[name] for name in names}
    for number in range(200):
        row = number * 7 % N
        where = any_filter(columns, number, row)
        assert where is not None
        assert matches(where, columns, N)[row], where
    for name in names:
        assert all(matches(own_filter(columns, name, row), columns, N)[row] for row in range(N))


def test_they_are_of_every_kind_and_let_others_out() -> None:
    filters = [any_filter(COLUMNS, number, number) for number in range(N)]
    kinds = Counter(type(where).__name__ for where in filters)
    assert set(kinds) == {"Eq", "Range", "In", "Not", "Or", "And"}
    assert min(kinds.values()) >= 3
    all_pass = [matches(where, COLUMNS, N).all() for where in filters if where is not None]
    assert sum(all_pass) < N / 10  # as "one of" both values of a flag does


def test_without_columns_there_is_none() -> None:
    assert any_filter({}, 3, 1) is None
