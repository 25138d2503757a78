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
    dim: of the vectors, of `parts` parts of equal length. hidden: width of each part's hidden layer in each tower.
    """

    ids: int
    categories: tuple[int, ...]
    numbers: int
    text: int
    dim: int
    hidden: int
    parts: int = 1

    @property
    def width(self) -> int:
        """How long a part is."""
        return self.dim // self.parts


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
    """float32[n, parts, width]: length 1 of all parts together, and each as long as the others."""
    return x * jax.lax.rsqrt(((x * x).sum(-1, keepdims=True) + 1e-9) * x.shape[-2])


def drawn(rng: np.random.Generator, shape: tuple[int, ...], scale: float) -> nnx.Param[jax.Array]:
    """A parameter from a normal distribution. By NumPy: JAX would compile a program for every shape."""
    return nnx.Param(jnp.asarray(rng.normal(0.0, scale, shape), jnp.float32))


class Residual(nnx.Module):
    """x + a hidden layer of x, normalised before it; each part for itself."""

    def __init__(self, shape: TowerShape, rng: np.random.Generator) -> None:
        parts, width, hidden = shape.parts, shape.width, shape.hidden
        self.inner = drawn(rng, (parts, width, hidden), width**-0.5)
        self.offset = nnx.Param(jnp.zeros(parts * hidden, jnp.float32))
        self.outer = drawn(rng, (parts, hidden, width), 0.5 * hidden**-0.5)

    def __call__(self, x: jax.Array) -> jax.Array:
        """float32[n, parts, width] -> float32[n, parts, width]."""
        hidden = jnp.einsum("npw,pwh->nph", layer_norm(x), self.inner[...])
        hidden += self.offset[...].reshape(hidden.shape[1:])
        return x + jnp.einsum("nph,phw->npw", jax.nn.gelu(hidden), self.outer[...])


class ListingTower(nnx.Module):
    """Sums what each feature says and passes it through one hidden layer."""

    def __init__(self, shape: TowerShape, rng: np.random.Generator) -> None:
        self.ids = drawn(rng, (shape.ids, shape.dim), 0.05)
        self.categories = nnx.List([drawn(rng, (rows, shape.dim), 0.1) for rows in shape.categories])
        self.numbers = drawn(rng, (shape.numbers, shape.dim), 0.1)
        self.text = drawn(rng, (shape.text, shape.dim), 0.3 * max(1, shape.text) ** -0.5)
        self.residual = Residual(shape, rng)
        self.parts, self.width = shape.parts, shape.width

    def __call__(self, features: FeatureArrays, known: jax.Array | None = None) -> jax.Array:
        """Unit vectors float32[n, parts, width] by part. known: bool[n, parts], which parts take the id of a listing
        into account; all where None.
        """
        with_id = (features.ids > 0)[:, None]
        known = with_id if known is None else known & with_id
        x = jnp.where(known[..., None], self._by_part(self.ids[...][features.ids]), 0.0)
        for column, table in enumerate(self.categories):
            x += self._by_part(table[...][features.categories[:, column]])
        x += self._by_part(features.numbers @ self.numbers[...] + features.text @ self.text[...])
        return unit(self.residual(x))

    def _by_part(self, x: jax.Array) -> jax.Array:
        return x.reshape(-1, self.parts, self.width)
