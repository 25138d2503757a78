"""The listing tower: a listing's vector from its features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

EPSILON = 1e-5


@dataclass(frozen=True, slots=True)
class TowerShape:
    """What the towers are made for.

    ids: rows of the table of ids, the first of which stands for a listing that was never taken in training. categories:
    codes of each column, the first of which stands for missing or unknown. numbers, text: columns of these features.
    dim: of the vectors. hidden: width of each tower's hidden layer.
    """

    ids: int
    categories: tuple[int, ...]
    numbers: int
    text: int
    dim: int
    hidden: int


class FeatureArrays(NamedTuple):
    """Features of n listings on the device.

    ids: int32[n]. categories: int32[n, c]. numbers: float32[n, m]. text: float32[n, t].
    """

    ids: jax.Array
    categories: jax.Array
    numbers: jax.Array
    text: jax.Array

    def take(self, rows: jax.Array) -> FeatureArrays:
        """The listings in `rows`."""
        return FeatureArrays(*(column[rows] for column in self))


def layer_norm(x: jax.Array) -> jax.Array:
    """Mean 0 and variance 1 along the last axis, without learned scale or offset."""
    centred = x - x.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred * centred).mean(-1, keepdims=True) + EPSILON)


def unit(x: jax.Array) -> jax.Array:
    """Length 1 along the last axis."""
    return x * jax.lax.rsqrt((x * x).sum(-1, keepdims=True) + 1e-9)


def drawn(rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> nnx.Param[jax.Array]:
    """A parameter from a normal distribution. By NumPy: JAX would compile a program for every shape."""
    return nnx.Param(jnp.asarray(rng.normal(0.0, scale, shape), jnp.float32))


class Residual(nnx.Module):
    """x + a hidden layer of x, normalised before it."""

    def __init__(self, dim: int, hidden: int, rng: np.random.Generator) -> None:
        self.inner = drawn(rng, (dim, hidden), dim**-0.5)
        self.offset = nnx.Param(jnp.zeros(hidden, jnp.float32))
        self.outer = drawn(rng, (hidden, dim), 0.5 * hidden**-0.5)

    def __call__(self, x: jax.Array) -> jax.Array:
        """float32[..., dim] -> float32[..., dim]."""
        return x + jax.nn.gelu(layer_norm(x) @ self.inner[...] + self.offset[...]) @ self.outer[...]


class ListingTower(nnx.Module):
    """Sums what each feature says and passes it through one hidden layer."""

    def __init__(self, shape: TowerShape, rng: np.random.Generator) -> None:
        self.ids = drawn(rng, (shape.ids, shape.dim), 0.05)
        self.categories = nnx.List([drawn(rng, (rows, shape.dim), 0.1) for rows in shape.categories])
        self.numbers = drawn(rng, (shape.numbers, shape.dim), 0.1)
        self.text = drawn(rng, (shape.text, shape.dim), 0.3 * max(1, shape.text) ** -0.5)
        self.residual = Residual(shape.dim, shape.hidden, rng)

    def __call__(self, features: FeatureArrays, known: jax.Array | None = None) -> jax.Array:
        """Unit vectors float32[n, dim]. known: bool[n], whose ids are taken into account; all where None."""
        known = (features.ids > 0) if known is None else known & (features.ids > 0)
        x = jnp.where(known[:, None], self.ids[...][features.ids], 0.0)
        for column, table in enumerate(self.categories):
            x += table[...][features.categories[:, column]]
        x += features.numbers @ self.numbers[...] + features.text @ self.text[...]
        return unit(self.residual(x))
