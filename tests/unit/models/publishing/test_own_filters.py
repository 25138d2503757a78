"""Filters made of histories: what each holds, and how one that matches too little is loosened."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from engines.filters import And, Eq, In, Range, matches
from models.data.interactions import ItemLists
from models.data.items import Categories, Items
from models.publishing.columns import filterable, layout
from models.publishing.options import OwnFilters
from models.publishing.own_filters import UserFilters, filter_problems, let_through, own_filters
from tests.unit.models.publishing.shop import FILTERS, listings, objects, shop

ITEMS = Items(
    objects(list(range(6))),
    {
        "size": Categories.encode(["M", "L", "M", "L", None, "S"]),
        "kind": Categories.encode(["coat", "coat", "boot", None, None, "belt"]),
    },
    {"price": np.array([10.0, 30.0, np.nan, 20.0, np.nan, 99.0])},
)


def made(
    histories: list[list[int]],
    options: OwnFilters = FILTERS,
    sold: list[int] | None = None,
    items: Items = ITEMS,
) -> UserFilters:
    """The filters of these histories where the listings `sold` (all by default) are searched."""
    laid = layout(items)
    searched = items if sold is None else items.take(np.array(sold))
    return own_filters(
        ItemLists.of(histories), items, laid, options, filterable(searched, laid), rows=len(searched)
    )


def test_a_filter_holds_size_kinds_and_prices_of_the_history() -> None:
    (where,) = made([[0, 2, 1]]).filters
    assert where == And((Eq("size", "M"), In("kind", ("boot", "coat")), Range("price", gte=9.0, lte=33.0)))


def test_of_equally_frequent_values_the_first_in_the_alphabet_is_taken() -> None:
    assert made([[0, 1]], OwnFilters(equal=("size",))).filters == (Eq("size", "L"),)
    assert made([[0, 1, 2]], OwnFilters(among=("kind",), most=1)).filters == (In("kind", ("coat",)),)


def test_ranges_widen_away_from_negative_numbers_too() -> None:
    items = Items(objects([0, 1]), numbers={"balance": np.array([-10.0, 5.0])})
    (where,) = made([[0, 1]], OwnFilters(range=("balance",), widen=0.5), items=items).filters
    assert where == Range("balance", gte=-15.0, lte=7.5)


def test_who_has_no_history_or_an_empty_one_gets_no_filter_and_is_counted() -> None:
    filters = made([[], [4], [0]])
    assert filters.filters[:2] == (None, None)
    assert (filters.without_history, filters.unknown, filters.filtered) == (1, 1, 1)
    assert made([[0]], OwnFilters()).filters == (None,)


def test_what_matches_nothing_is_loosened_from_the_last_condition_on() -> None:
    # Of the history 5 (S, belt, 99) size and price are sold, but not together with a belt.
    assert made([[5]]).loosened == {}
    assert made([[5]], sold=[0, 1, 2]).loosened == {"price": 1, "kind": 1, "size": 1}
    filters = made([[0, 1], [5]], sold=[0, 3])
    # L, coat or nothing, 9 to 33: 3 is an L of no known kind, so price and kind go, and the size stays.
    assert filters.filters == (Eq("size", "L"), None)
    assert filters.loosened == {"price": 2, "kind": 2, "size": 1}
    assert filters.dropped == 1


def test_enough_listings_must_match() -> None:
    assert made([[0]], OwnFilters(equal=("size",), fewest=2)).filters == (Eq("size", "M"),)
    assert made([[0]], OwnFilters(equal=("size",), fewest=3)).filters == (None,)


def test_targets_that_a_filter_hides_are_told_apart() -> None:
    filters = made([[0], [], [1]], OwnFilters(equal=("size",)))  # M, none, L
    columns = filterable(ITEMS, layout(ITEMS))
    assert let_through(filters, ItemLists.of([[2, 3], [4], [0]]), columns) == 2
    assert let_through(filters, ItemLists.of([[1, 3], [4], [3]]), columns) == 2
    assert let_through(filters, ItemLists.of([[], [], []]), columns) == 0


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 4), st.integers(1, 30))
def test_no_filter_lets_fewer_through_than_asked(seed: int, fewest: int, sold: int) -> None:
    whole, rng = shop(seed=seed), np.random.default_rng(seed)
    kept = np.sort(rng.permutation(len(whole.items))[:sold])
    laid, searched = layout(whole.items), whole.items.take(kept)
    columns = filterable(searched, laid)
    options = FILTERS.model_copy(update={"fewest": fewest})
    found = own_filters(whole.cases.histories, whole.items, laid, options, columns, rows=sold)
    let_through = [np.count_nonzero(matches(where, columns, sold)) for where in found.filters if where]
    assert all(count >= fewest for count in let_through)
    alone = [where is None for where in found.filters]
    assert sum(alone) == found.without_history + found.unknown + found.dropped


def test_every_wrong_column_is_named() -> None:
    options = OwnFilters(equal=("price", "size"), among=("size",), range=("width",))
    assert filter_problems(listings(), options) == [
        "filters.equal: 'price' is no category column of the catalogue (these are: size, kind); correct or remove it",
        "filters.range: 'width' is no number column of the catalogue (these are: price); correct or remove it",
        "filters: 'size' is named more than once; keep one",
    ]
    assert filter_problems(listings(), FILTERS) == []


@pytest.mark.parametrize(
    "wrong", [{"widen": 1.5}, {"most": 0}, {"fewest": 0}, {"size": ["x"]}, {"widen": True}]
)
def test_options_are_strict(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        OwnFilters(**wrong)  # type: ignore[arg-type]
