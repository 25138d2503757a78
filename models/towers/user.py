"""The user tower: a user's vector from the vectors of the listings that they took and of what they declared."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from models.towers.listing import Residual, TowerShape, drawn, unit


class UserTower(nnx.Module):
    """An attention-weighted mean of a set, and one hidden layer."""

    def __init__(self, shape: TowerShape, rng: np.random.Generator) -> None:
        self.attention = drawn(rng, (shape.dim,), shape.width**-0.5)
        self.recency = nnx.Param(jnp.zeros(shape.parts, jnp.float32))
        self.empty = drawn(rng, (shape.dim,), 0.1)
        self.residual = Residual(shape, rng)

    def __call__(self, members: jax.Array, present: jax.Array, age_days: jax.Array) -> jax.Array:
        """Unit vectors float32[b, parts, width] of b users, by part.

        members: float32[b, m, parts, width], those of listings and declared preferences. present: bool[b, m], which of
        them there are. age_days: float32[b, m], how long ago each was taken, 0 where times are unknown.
        """
        scores = (members * self.attention[...].reshape(members.shape[2:])).sum(-1)  # float32[b, m, parts]
        scores += self.recency[...] * jnp.log1p(age_days)[..., None]
        there = present[..., None]
        weights = jax.nn.softmax(jnp.where(there, scores, -1e9), axis=1) * there
        mean = (weights[..., None] * members).sum(1)
        mean = jnp.where(present.any(-1)[:, None, None], mean, self.empty[...].reshape(mean.shape[1:]))
        return unit(self.residual(mean))
