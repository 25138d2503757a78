"""What a visit finds: evenly drawn from what fits its user and is there."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from models.data.marketplace.finding import Finder
from models.data.marketplace.market import Market
from models.data.marketplace.sizes import NEVER

KEYS = np.random.default_rng(0).random((1, 100_000))


@pytest.mark.parametrize("user", [0, 1, 17])
def test_everything_that_fits_is_found_equally_often_and_nothing_else(market: Market, user: int) -> None:
    wants = market.truth.wants
    alive = np.zeros(len(wants.stock), np.bool_)
    alive[np.random.default_rng(1).choice(len(alive), 2_000, replace=False)] = True
    finder = Finder(wants)
    finder.refresh(alive)
    found = finder.find(np.array([user]), KEYS)[0]
    fits = alive & (wants.sizes.steps[wants.shoppers.build[user], wants.stock.size] < NEVER)
    assert 300 < fits.sum() < 1_600
    counts = np.bincount(found, minlength=len(alive))
    assert not counts[~fits].any()
    assert stats.chisquare(counts[fits]).pvalue > 1e-3


def test_nothing_is_found_where_nothing_fits_or_nothing_is_there(market: Market) -> None:
    wants = market.truth.wants
    finder = Finder(wants)
    assert np.all(finder.find(np.array([0, 5]), KEYS[:, :8].repeat(2, axis=0)) == -1)
    fits = wants.sizes.steps[wants.shoppers.build[0], wants.stock.size] < NEVER
    finder.refresh(~fits)
    other = int(np.flatnonzero(wants.shoppers.build != wants.shoppers.build[0])[0])
    found = finder.find(np.array([0, other]), KEYS[:, :8].repeat(2, axis=0))
    assert np.all(found[0] == -1) and np.all(found[1] >= 0)
