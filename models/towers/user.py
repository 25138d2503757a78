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
        self.attention = drawn(rng, (shape.dim,), shape.dim**-0.5)
        self.recency = nnx.Param(jnp.zeros((), jnp.float32))
        self.empty = drawn(rng, (shape.dim,), 0.1)
        self.residual = Residual(shape.dim, shape.hidden, rng)

    def __call__(self, members: jax.Array, present: jax.Array, age_days: jax.Array) -> jax.Array:
        """Unit vectors float32[b, dim] of b users.

        members: float32[b, m, dim], unit vectors of listings and declared preferences. present: bool[b, m], which of
        them there are. age_days: float32[b, m], how long ago each was taken, 0 where times are unknown.
        """
        scores = members @ self.attention[...] + self.recency[...] * jnp.log1p(age_days)
        weights = jax.nn.softmax(jnp.where(present, scores, -1e9), axis=-1) * present
        mean = (weights[..., None] * members).sum(-2)
        mean = jnp.where(present.any(-1, keepdims=True), mean, self.empty[...])
        return unit(self.residual(mean))
