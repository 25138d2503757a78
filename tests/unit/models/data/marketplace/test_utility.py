"""The model of choice: what makes a listing wanted, and probabilities that agree with what is drawn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from models.data.marketplace.market import Market
from models.data.marketplace.options import UtilityWeights
from models.data.marketplace.sizes import NEVER
from models.data.marketplace.stock import DAY_MS
from models.data.marketplace.utility import Utility, softmax
from models.data.marketplace.visits import draw_views, worth

NOTHING = dict.fromkeys(UtilityWeights.model_fields, 0.0) | {"freshness_days": 14.0}


@pytest.fixture
def wants(market: Market) -> Utility:
    return market.truth.wants


def alone(wants: Utility, **weights: float) -> Utility:
    """The utility of which only these parts count."""
    return replace(
        wants, weights=UtilityWeights.model_validate(NOTHING | weights), charm=np.zeros_like(wants.charm)
    )


def asked(wants: Utility, days: float = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ten users, thirty listings of each, a moment after all of them were listed."""
    rng = np.random.default_rng(0)
    at_ms = np.full(10, wants.stock.listed_ms.min() + int(days * DAY_MS))
    return rng.integers(len(wants.shoppers), size=10), rng.integers(len(wants.stock), size=(10, 30)), at_ms


def test_taste_is_the_cosine_of_user_and_listing(wants: Utility) -> None:
    users, listings, at_ms = asked(wants)
    found = alone(wants, taste=3.0)(users, listings, at_ms)
    for row, column in ((0, 0), (3, 17), (9, 29)):
        cosine = wants.shoppers.tastes[users[row]] @ wants.stock.latents[listings[row, column]]
        if np.isfinite(found[row, column]):
            assert found[row, column] == pytest.approx(3 * cosine, abs=1e-5)


def test_a_price_costs_more_above_the_budget_than_below(wants: Utility) -> None:
    users, listings, at_ms = asked(wants)
    found = alone(wants, over_budget=2.0, under_budget=0.5)(users, listings, at_ms)
    beyond = wants.stock.level[listings] - wants.shoppers.budget[users][:, None]
    fits = np.isfinite(found)
    np.testing.assert_allclose(found[fits], np.where(beyond > 0, -2 * beyond, 0.5 * beyond)[fits], atol=1e-4)


def test_what_is_fresh_is_worth_more(wants: Utility) -> None:
    users, listings = (
        np.array([0]),
        np.flatnonzero(wants.sizes.steps[wants.shoppers.build[0]][wants.stock.size] == 0),
    )
    listing = listings[:1][None]
    listed = wants.stock.listed_ms[listing[0]]
    fresh = alone(wants, freshness=1.0)
    found = [float(fresh(users, listing, listed + int(days * DAY_MS))[0, 0]) for days in (0, 14, 1000)]
    assert found == pytest.approx([1, np.exp(-1), 0], abs=1e-4)


def test_what_does_not_fit_or_is_not_there_yet_is_never_taken(wants: Utility) -> None:
    users, listings, at_ms = asked(wants)
    steps = wants.sizes.steps[wants.shoppers.build[users][:, None], wants.stock.size[listings]]
    found = alone(wants, loose_size=1.5)(users, listings, at_ms)
    np.testing.assert_array_equal(found, np.select([steps == 0, steps == 1], [0, -1.5], -np.inf))
    assert np.any(steps == 0) and np.any(steps == 1) and np.any(steps >= NEVER)
    before = np.full(10, wants.stock.listed_ms.min() - 1)
    assert np.all(np.isneginf(wants(users, listings, before)))


def test_the_same_listings_for_all_may_be_asked_at_once(wants: Utility) -> None:
    users, listings, at_ms = asked(wants)
    once = wants(users, listings[:1], at_ms)
    np.testing.assert_allclose(once, wants(users, np.repeat(listings[:1], 10, axis=0), at_ms), atol=1e-5)


def test_probabilities_add_up() -> None:
    utilities = np.array([[0.0, np.log(3), -np.inf], [-np.inf, -np.inf, -np.inf]])
    np.testing.assert_allclose(softmax(utilities), [[0.25, 0.75, 0], [0, 0, 0]])
    np.testing.assert_allclose(softmax(utilities, nothing=0.0), [[0.2, 0.6, 0], [0, 0, 0]])
    np.testing.assert_allclose(softmax(np.array([[1000.0, 1000.0]])), [[0.5, 0.5]])


def test_what_is_drawn_first_agrees_with_the_probabilities() -> None:
    rng = np.random.default_rng(0)
    utilities = np.array([1.0, 0.0, 2.0, -np.inf, 0.5], np.float32)
    rows = 20_000
    found = np.broadcast_to(np.arange(5), (rows, 5))
    first = draw_views(found, np.tile(utilities, (rows, 1)), np.full(rows, 2), rng)[0]
    counts = np.bincount(first[:, 0], minlength=5)
    expected = softmax(utilities[None])[0]
    possible = expected > 0
    assert counts[3] == 0
    assert stats.chisquare(counts[possible], rows * expected[possible]).pvalue > 1e-3
    sharper = softmax(1.2 * utilities[None])[0]
    assert stats.chisquare(counts[possible], rows * sharper[possible]).pvalue < 1e-3
    # The second is drawn from what the first has left (Plackett and Luce).
    left = np.where(np.arange(5) == 2, -np.inf, utilities)
    second = np.bincount(first[first[:, 0] == 2, 1], minlength=5)
    wanted = softmax(left[None])[0]
    assert stats.chisquare(second[wanted > 0], second.sum() * wanted[wanted > 0]).pvalue > 1e-3


def test_a_listing_found_twice_is_drawn_once(market: Market) -> None:
    wants = market.truth.wants
    fits = np.flatnonzero(wants.sizes.steps[wants.shoppers.build[3], wants.stock.size] == 0)[:2]
    found = np.array([[-1, fits[0], fits[0], fits[1], fits[1], fits[1]]])
    values = worth(wants, np.array([3]), found, wants.stock.listed_ms[fits[1:]])
    assert np.isfinite(values).tolist() == [[False, True, False, True, False, False]]


def test_no_more_is_viewed_than_there_is() -> None:
    utilities = np.array([[0.0, -np.inf, -np.inf], [0, 0, 0]], np.float32)
    viewed, _ = draw_views(
        np.array([[4, 5, 6], [4, 5, 6]]), utilities, np.array([3, 2]), np.random.default_rng(0)
    )
    assert viewed[0].tolist() == [4, -1, -1]
    assert (viewed[1] >= 0).tolist() == [True, True, False]
