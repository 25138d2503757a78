"""The market of the defaults, which several files look at."""

from __future__ import annotations

import pytest

from models.data.marketplace.market import Market, make_market
from models.data.marketplace.options import MarketplaceOptions


@pytest.fixture(scope="session")
def market() -> Market:
    return make_market(MarketplaceOptions())
