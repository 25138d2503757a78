"""Users: few are active, tastes differ, budgets and builds vary."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from models.data.marketplace.figures import LUXURY_USERS, measured
from models.data.marketplace.options import MarketplaceOptions
from models.data.marketplace.shoppers import Shoppers, make_shoppers
from models.data.marketplace.sizes import sizes_of
from models.data.marketplace.stock import DAY_MS, unit

SPEC = measured()
SIZES = sizes_of(SPEC.sizes)
STYLES = unit(np.random.default_rng(0).standard_normal((16, 16)))


def made(**options: object) -> Shoppers:
    asked = MarketplaceOptions.model_validate({"users": 20_000, **options})
    return make_shoppers(asked, SPEC, SIZES, STYLES)


def test_activity_is_a_power_law() -> None:
    activity = made(activity_exponent=1.2).activity
    assert activity.min() >= 1 and activity.max() <= 1000
    tail = np.sort(activity)[::-1][:5000]
    slope = np.polyfit(np.log(tail[50:]), np.log(np.arange(51, 5001)), 1)[0]
    assert slope == pytest.approx(-1.2, abs=0.1)


def test_tastes_differ_and_lie_near_styles() -> None:
    tastes = made().tastes
    np.testing.assert_allclose(np.linalg.norm(tastes, axis=1), 1, atol=1e-5)
    alike = np.einsum("nd,nd->n", tastes[:-1], tastes[1:])
    assert np.mean(alike > 0.8) < 0.1
    nearest = (tastes @ STYLES.T).max(axis=1)
    chance = (unit(np.random.default_rng(1).standard_normal(tastes.shape)) @ STYLES.T).max(axis=1)
    assert nearest.mean() > chance.mean() + 0.2


def test_a_user_of_one_style_is_nearer_to_it_than_one_of_many() -> None:
    one, many = ((made(styles_a_user=count).tastes @ STYLES.T).max(axis=1).mean() for count in (1, 8))
    assert one > many + 0.1


def test_budgets_are_those_of_the_mass_market_but_for_a_few() -> None:
    budget = made().budget
    assert np.median(budget) == pytest.approx(SPEC.prices.mass.ln_mean, abs=0.05)
    assert np.mean(budget > 4.7) == pytest.approx(LUXURY_USERS, abs=0.01)


def test_builds_are_as_demanded() -> None:
    counts = np.bincount(made().build, minlength=len(SIZES.demand))
    assert stats.chisquare(counts, SIZES.demand * 20_000).pvalue > 1e-3


def test_new_users_keep_arriving() -> None:
    options = MarketplaceOptions()
    day = (made(arriving_users=0.3).joined_ms - options.start_ms) / DAY_MS
    assert np.mean(day > 0) == pytest.approx(0.3, abs=0.02)
    assert stats.kstest(day[day > 0] / options.days, "uniform").pvalue > 1e-3
    assert not np.any(made(arriving_users=0).joined_ms - options.start_ms)
