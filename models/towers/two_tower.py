"""Both towers and what turns their nearness into a score."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from models.towers.listing import FeatureArrays, ListingTower, TowerShape
from models.towers.user import UserTower


class TwoTower(nnx.Module):
    """Of each part, score(user, listing) = scale * (parts * user . listing + weight * popularity).

    Vectors have length 1, and parts of them length parts**-0.5.
    popularity: of a listing, in [0, 1]; see `models.encoding`. Its weight is 0 and stays 0 where `popular` is False.
    """

    def __init__(self, shape: TowerShape, *, popular: bool, rng: np.random.Generator) -> None:
        self.listing = ListingTower(shape, rng)
        self.user = UserTower(shape, rng)
        # As sharp as it tends to become.
        self.log_scale = nnx.Param(jnp.full(shape.parts, 2.5, jnp.float32))
        self.weight = nnx.Param(jnp.zeros(shape.parts, jnp.float32)) if popular else None
        self.parts = shape.parts

    def scores(self, users: jax.Array, listings: jax.Array, popularity: jax.Array) -> jax.Array:
        """float32[parts, b, n] of b users with n listings of popularity float32[n]."""
        nearness = jnp.einsum("bpw,npw->pbn", users, listings)
        return self._scaled(nearness, popularity, (self.parts, 1, 1))

    def paired_scores(self, users: jax.Array, listings: jax.Array, popularity: jax.Array) -> jax.Array:
        """float32[parts, b] of user i with listing i, b of both, popularity float32[b]."""
        return self._scaled((users * listings).sum(-1).T, popularity, (self.parts, 1))

    def _scaled(self, nearness: jax.Array, popularity: jax.Array, by_part: tuple[int, ...]) -> jax.Array:
        nearness *= self.parts
        if self.weight is not None:
            nearness += self.weight[...].reshape(by_part) * popularity
        return jnp.exp(self.log_scale[...]).reshape(by_part) * nearness

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
        """Vectors of b users, float32[b, parts, width].

        listings: float32[n, parts, width]. items: int32[b, m], rows of `listings`. present, age_days: beside them.
        declared: features of what each declares, b rows. declares: bool[b], who declares anything.
        """
        members = listings[items]
        if declared is not None and declares is not None:
            members = jnp.concatenate([members, self.listing(declared)[:, None]], axis=1)
            present = jnp.concatenate([present, declares[:, None]], axis=1)
            age_days = jnp.pad(age_days, ((0, 0), (0, 1)))
        return self.user(members, present, age_days)
