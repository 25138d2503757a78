"""How a filter is widened."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engines.filters import And, Eq, Filter, Not, Or, Range
from service.retrieval.relaxing import conditions, relaxations
from tests.unit.engines.test_filters import ARRAYS, KNOWN, matches

BRAND, SIZE, PRICE = Eq("brand", "acme"), Eq("size", 38), Range("price", gte=10, lt=20)


def steps(where: Filter | None, *order: str, widen: float = 0.25) -> list[tuple[str, str, Filter | None]]:
    return [(step.field, step.how, step.where) for step in relaxations(where, order, widen)]


def test_field_by_field_a_range_is_widened_before_it_is_dropped() -> None:
    wider = Range("price", gte=7, lt=23)
    assert steps(And((BRAND, SIZE, PRICE)), "price", "brand") == [
        ("price", "widened", And((BRAND, SIZE, wider))),
        ("price", "dropped", And((BRAND, SIZE))),
        ("brand", "dropped", SIZE),
    ]


def test_conditions_on_other_fields_always_hold() -> None:
    assert steps(And((BRAND, SIZE)), "price") == []
    assert steps(None, "price") == []


def test_nested_ands_are_conditions_of_their_own() -> None:
    assert conditions(And((And((BRAND, SIZE)), And(()), PRICE))) == (BRAND, SIZE, PRICE)


def test_a_condition_on_several_fields_goes_with_the_last_of_them() -> None:
    either = Or((BRAND, PRICE))
    assert steps(And((either, SIZE)), "brand", "price") == [("price", "dropped", SIZE)]
    assert steps(Not(BRAND), "brand") == [("brand", "dropped", None)]


def test_an_or_of_nothing_is_nobodys_to_drop() -> None:
    assert steps(And((Or(()), BRAND)), "brand") == [("brand", "dropped", Or(()))]


@pytest.mark.parametrize(
    ("given", "wider"),
    [
        (Range("price", gte=1.0, lte=3.0), Range("price", gte=0.5, lte=3.5)),
        (Range("price", lt=100), Range("price", lt=125)),
        (Range("price", gt=-8), Range("price", gt=-10)),
        (Range("price", gt=2**53 + 1, lt=2**53 + 3), Range("price", gt=2**53, lt=2**53 + 4)),
    ],
)
def test_a_range_is_widened_by_a_share_of_its_width_or_of_its_only_bound(given: Range, wider: Range) -> None:
    assert steps(given, "price")[0] == ("price", "widened", wider)


@pytest.mark.parametrize(
    "given", [Range("price", lt=0), Range("price", lt=1.7e308), Range("price", lt=10**400)]
)
def test_a_range_that_cannot_be_widened_is_dropped_at_once(given: Range) -> None:
    assert steps(given, "price") == [("price", "dropped", None)]


@given(where=KNOWN, order=st.permutations(list(ARRAYS)), widen=st.sampled_from([0.1, 0.25, 2.0]))
def test_each_step_matches_whatever_the_one_before_matches(
    where: Filter, order: list[str], widen: float
) -> None:
    rows = len(ARRAYS["price"])
    before = matches(where, ARRAYS, rows)
    for step in relaxations(where, order, widen):
        after = matches(step.where, ARRAYS, rows)
        assert (after >= before).all()
        before = after
