"""The users of the marketplace: what they like, wear and spend, and how often they come."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from harness.data.shipped.correlation import choose, zipf
from harness.data.shipped.listings_manifest import Listings
from models.data.marketplace.figures import BUDGET_SD, LUXURY_USERS, STYLE_EXPONENT, STYLES
from models.data.marketplace.options import MarketplaceOptions
from models.data.marketplace.sizes import Sizes
from models.data.marketplace.stock import DAY_MS, Float32, unit

_ACTIVITY_SPAN = 1000.0  # the most active user comes this much more often than the least active one
_OWN = 0.5  # of a taste, beside the styles that it mixes


@dataclass(frozen=True, slots=True)
class Shoppers:
    """u users.

    tastes: float32[u, d], unit vectors. budget: float32[u], the natural logarithm of what each is used to pay for a
    garment of average price. build: int32[u], a row of Sizes.steps. joined_ms: int64[u]. activity: float64[u], > 0,
    visits a day up to a factor that all share.
    """

    tastes: Float32
    budget: Float32
    build: npt.NDArray[np.int32]
    joined_ms: npt.NDArray[np.int64]
    activity: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.build)


def make_shoppers(options: MarketplaceOptions, spec: Listings, sizes: Sizes, styles: Float32) -> Shoppers:
    """Draws the users. styles: float32[styles, d], the places of the styles."""
    u = options.users
    rng = options.stream("budget")
    usual = np.where(rng.random(u) < LUXURY_USERS, spec.prices.luxury.ln_mean, spec.prices.mass.ln_mean)
    rng_joined = options.stream("joined")
    arrives = rng_joined.random(u) < options.arriving_users
    joined = np.where(arrives, rng_joined.integers(0, options.days * DAY_MS, u), 0)
    return Shoppers(
        tastes=_tastes(options, styles),
        budget=(usual + BUDGET_SD * rng.standard_normal(u)).astype(np.float32),
        build=choose(sizes.demand, options.stream("build").random(u)),
        joined_ms=options.start_ms + joined,
        activity=_activity(options.activity_exponent, options.stream("activity").random(u)),
    )


def _tastes(options: MarketplaceOptions, styles: Float32) -> Float32:
    """A mix of one to a few styles, evenly drawn in number, weighted as they come, and something of one's own."""
    rng = options.stream("taste")
    u, most = options.users, options.styles_a_user
    mixed = rng.integers(1, most + 1, u)
    weights = rng.standard_exponential((u, most)) * (np.arange(most) < mixed[:, None])
    weights /= weights.sum(axis=1, keepdims=True)
    liked = choose(zipf(len(STYLES), STYLE_EXPONENT), rng.random((u, most)))
    tastes = np.zeros((u, options.latent), np.float32)
    for place in range(most):
        tastes += weights[:, place, None].astype(np.float32) * styles[liked[:, place]]
    return unit(unit(tastes) + _OWN * unit(rng.standard_normal((u, options.latent), dtype=np.float32)))


def _activity(exponent: float, keys: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A power law with density a^-(1 + exponent) from 1 to _ACTIVITY_SPAN, by its inverse distribution function."""
    return np.asarray((1 - keys * (1 - _ACTIVITY_SPAN**-exponent)) ** (-1 / exponent))
