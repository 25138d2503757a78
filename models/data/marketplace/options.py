"""What of the simulated marketplace may be set, with limits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from harness.scenario.strict import StrictModel, validated

Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0, le=0.5)]
Weight = Annotated[float, Field(ge=0, le=100)]


class UtilityWeights(StrictModel):
    """What a listing's worth to a user is made of, in logits: one more makes a choice e times as likely.

    taste: times the cosine of taste and listing. over_budget, under_budget: lost for each e-fold of the price above or
    below what the user is used to. freshness: gained by a listing of this minute, fading by 1/e in `freshness_days`.
    condition, appeal: times scores with a spread of about one. loose_size: lost where the size is one step off.
    """

    taste: Weight = 10.0
    over_budget: Weight = 2.0
    under_budget: Weight = 0.5
    freshness: Weight = 1.0
    freshness_days: Annotated[float, Field(gt=0, le=3650)] = 14.0
    condition: Weight = 0.5
    appeal: Weight = 0.5
    loose_size: Weight = 1.5


class MarketplaceOptions(StrictModel):
    """The size of the marketplace and the model behind it; the defaults that are not sizes are assumed.

    interactions: rows of views, favourites and purchases. days: of them; `days_before` more have listings only, so
    that the first visitor finds some. start: Unix seconds of the first interaction's day.
    lifetime_days: after which a listing that nobody bought is withdrawn. refresh_hours: how often sold and withdrawn
    listings are cleared away; who finds one before sees that it is sold. candidates: listings that a visit looks at.
    views_a_visit: on average, of at most ten. favourites, purchases: a view, roughly, on average.
    activity_exponent: of the power law of users' activity, set so that what a scrape sees comes out: of the users with
    a favourite among 4 % of the listings, about 13.6 % have two or more (measured: 3,267 of 24,055; which share of its
    marketplace that sample was is not known). arriving_users: share that joins after the start.
    styles_a_user: at most. correlation: how closely brand, colour and words follow the style of a listing (0: not at
    all, 1: given by it). latent: dimensions of tastes.
    """

    listings: Annotated[int, Field(ge=1, le=5_000_000)] = 20_000
    users: Annotated[int, Field(ge=1, le=5_000_000)] = 8_000
    interactions: Annotated[int, Field(ge=1, le=50_000_000)] = 60_000
    days: Annotated[int, Field(ge=1, le=3650)] = 90
    days_before: Annotated[int, Field(ge=0, le=3650)] = 30
    seed: Annotated[int, Field(ge=0)] = 0
    start: Annotated[int, Field(ge=0, le=4_102_444_800)] = 1_704_067_200
    lifetime_days: Annotated[int, Field(ge=2, le=3650)] = 60
    refresh_hours: Annotated[int, Field(ge=1, le=24)] = 6
    candidates: Annotated[int, Field(ge=2, le=1000)] = 128
    views_a_visit: Annotated[float, Field(ge=1, le=10)] = 3.0
    favourites: Rate = 0.08
    purchases: Rate = 0.04
    activity_exponent: Annotated[float, Field(ge=0.1, le=10)] = 0.8
    arriving_users: Share = 0.5
    styles_a_user: Annotated[int, Field(ge=1, le=16)] = 3
    correlation: Share = 0.7
    latent: Annotated[int, Field(ge=2, le=64)] = 16
    utility: UtilityWeights = UtilityWeights()

    @property
    def start_ms(self) -> int:
        """The first interaction's day, in milliseconds since 1970."""
        return self.start * 1000

    def stream(self, quantity: str) -> np.random.Generator:
        """The random numbers of one quantity, which no other quantity shifts."""
        return np.random.default_rng([self.seed, *quantity.encode()])


def read_options(data: Mapping[str, Any], source: str) -> MarketplaceOptions:
    """The keys below `marketplace:`. source: what problems begin with. Raises ConfigurationError with all of them."""
    return validated(MarketplaceOptions, data, source)
