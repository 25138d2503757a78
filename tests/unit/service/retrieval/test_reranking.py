"""What the second stage makes of candidates."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engines.values.columns import column_of
from service.memory.stock import Known
from service.retrieval.options import RerankOptions
from service.retrieval.reranking import Context, Ranked, as_retrieved, weighted

DAY = 86_400_000


def ranked(options: RerankOptions, *, scores: Any, days: Any, prices: Any, paid: Any = ()) -> Ranked:
    rows = len(scores)
    nothing = np.empty(rows, object)
    known = Known(
        np.arange(rows), nothing, np.ones(rows, np.int64), 1000 * DAY - np.array(days) * DAY, nothing, nothing,
        {"price": column_of(prices, "float")},
    )  # fmt: skip
    context = Context(np.array(scores, np.float64), 1000 * DAY, 10.0 * DAY, np.array(paid, np.float64))
    return weighted(options)(known, context)


def test_each_part_is_what_it_says_and_they_add_up() -> None:
    options = RerankOptions(affinity=2, freshness=1, price_fit=1, price="price")
    paid = [10.0, 10.0, 10.0]
    found = ranked(options, scores=[0.9, 0.5, 0.1], days=[0, 10, 20], prices=[10, 12.5, 0], paid=paid)
    assert found.parts["affinity"] == pytest.approx([0.5, 0.25, 0])
    assert found.parts["freshness"] == pytest.approx([0.25, 0.125, 0.0625])
    # All paid the same: the spread is the least there is, log 1.25, and 12.5 is one of it away; 0 is no price.
    assert found.parts["price_fit"] == pytest.approx([0.25, 0.25 * np.exp(-0.5), 0.125])
    assert found.totals == pytest.approx(sum(found.parts.values()))


def test_a_wider_taste_forgives_more() -> None:
    options = RerankOptions(affinity=0, freshness=0, price_fit=1, price="price")
    narrow, wide = ([10, 10, 10], [2, 10, 50])
    fits = [
        ranked(options, scores=[1.0], days=[0], prices=[30], paid=paid).totals[0] for paid in (narrow, wide)
    ]
    assert fits[0] < fits[1]


def test_without_prices_and_without_a_field_of_prices_they_do_not_decide() -> None:
    without = ranked(
        RerankOptions(0, 0, 1, "price"), scores=[1, 0, 0], days=[0] * 3, prices=[None, 9, 0], paid=[9]
    )
    assert without.totals.tolist() == [0.5, 1, 0.5]
    found = ranked(RerankOptions(price="price"), scores=[1, 0], days=[0, 0], prices=[10, 20])
    assert found.parts["price_fit"] == pytest.approx([0.05, 0.05])
    assert "price_fit" not in ranked(RerankOptions(), scores=[1, 0], days=[0, 0], prices=[10, 20]).parts


def test_equal_scores_and_no_candidates_at_all() -> None:
    assert ranked(
        RerankOptions(), scores=[3, 3], days=[1, 1], prices=[1, 1]
    ).totals.tolist() == pytest.approx([(0.8 + 0.1 * 2**-0.1) / 0.9] * 2)
    assert ranked(RerankOptions(price="price"), scores=[], days=[], prices=[], paid=[1]).totals.tolist() == []


def test_a_listing_of_the_future_is_as_fresh_as_one_of_now() -> None:
    found = ranked(RerankOptions(freshness=1, affinity=0), scores=[0, 0], days=[-5, 0], prices=[1, 1])
    assert found.totals.tolist() == [1, 1]


def test_as_retrieved_leaves_scores_as_they_are() -> None:
    context = Context(np.array([3.0, 1.0]), 0, 1.0, np.empty(0))
    known = Known(*[np.empty(2)] * 6, {})  # type: ignore[arg-type]
    assert as_retrieved(known, context).totals.tolist() == [3, 1]
