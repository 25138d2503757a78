"""One market that several files look at."""

from __future__ import annotations

import pytest

from models.data.marketplace.market import Market, make_market
from models.data.marketplace.options import MarketplaceOptions


@pytest.fixture(scope="session")
def market() -> Market:
    return make_market(MarketplaceOptions(listings=8_000, users=4_000, interactions=30_000))
