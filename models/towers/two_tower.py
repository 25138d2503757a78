"""Both towers and what turns their nearness into a score."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from models.towers.listing import FeatureArrays, ListingTower, TowerShape
from models.towers.user import UserTower


class TwoTower(nnx.Module):
    """score(user, listing) = scale * (user . listing + weight * popularity), both vectors of length 1.

    popularity: of a listing, in [0, 1]; see `models.encoding`. Its weight is 0 and stays 0 where `popular` is False.
    """

    def __init__(self, shape: TowerShape, *, popular: bool, rng: np.random.Generator) -> None:
        self.listing = ListingTower(shape, rng)
        self.user = UserTower(shape, rng)
        self.log_scale = nnx.Param(jnp.full((), 2.5, jnp.float32))  # as sharp as it tends to become
        self.weight = nnx.Param(jnp.zeros((), jnp.float32)) if popular else None

    def scores(self, users: jax.Array, listings: jax.Array, popularity: jax.Array) -> jax.Array:
        """float32[b, n] of users float32[b, dim] with listings float32[n, dim] of popularity float32[n]."""
        return self._scaled(users @ listings.T, popularity)

    def paired_scores(self, users: jax.Array, listings: jax.Array, popularity: jax.Array) -> jax.Array:
        """float32[b] of user i with listing i: float32[b, dim] both, popularity float32[b]."""
        return self._scaled((users * listings).sum(-1), popularity)

    def _scaled(self, nearness: jax.Array, popularity: jax.Array) -> jax.Array:
        if self.weight is not None:
            nearness += self.weight[...] * popularity
        return jnp.exp(self.log_scale[...]) * nearness

    def users(
        self,
        listings: jax.Array,
        items: jax.Array,
        present: jax.Array,
        age_days: jax.Array,
        *,
        declared: FeatureArrays | None = None,
        declares: jax.Array | None = None,
    ) -> jax.Array:
        """Vectors of b users, float32[b, dim].

        listings: float32[n, dim]. items: int32[b, m], rows of `listings`. present, age_days: beside them. declared:
        features of what each declares, b rows. declares: bool[b], who declares anything.
        """
        members = listings[items]
        if declared is not None and declares is not None:
            members = jnp.concatenate([members, self.listing(declared)[:, None]], axis=1)
            present = jnp.concatenate([present, declares[:, None]], axis=1)
            age_days = jnp.pad(age_days, ((0, 0), (0, 1)))
        return self.user(members, present, age_days)
