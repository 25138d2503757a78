"""Attributes that follow the vectors as closely as a parameter says, without changing their own distribution."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def stretches(counts: npt.NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Cuts [0, 1) into one stretch a group, as wide as the group's share.

    counts: int64[g], members of each group. Returns starts and widths, float64[g].
    """
    widths = counts / counts.sum()
    return np.concatenate([[0.0], np.cumsum(widths)[:-1]]), widths


def correlated_keys(
    groups: npt.NDArray[np.integer],
    starts: Floats,
    widths: Floats,
    strength: float,
    rng: np.random.Generator,
) -> Floats:
    """One key in [0, 1) a row: with probability `strength` inside its group's stretch, else anywhere.

    groups: integer[n]. Since a stretch is as wide as its group is common, the keys are uniform whatever the
    strength (0: independent of the group, 1: given by it); any inverse distribution function applied to them
    keeps its distribution.
    """
    follows = rng.random(len(groups)) < strength
    anywhere = rng.random(len(groups))
    keys = np.where(follows, starts[groups] + anywhere * widths[groups], anywhere)
    return np.minimum(keys, np.nextafter(1.0, 0.0))


def zipf(count: int, exponent: float, shift: float = 0.0) -> Floats:
    """Zipf-Mandelbrot shares float64[count]: proportional to (rank + shift)^-exponent, rank from 1."""
    weights = (np.arange(1, count + 1) + shift) ** -exponent
    return np.asarray(weights / weights.sum())


def choose(shares: Floats, keys: Floats) -> npt.NDArray[np.int32]:
    """The inverse distribution function: which of the `shares` each key in [0, 1) falls into. int32[n]."""
    edges = np.cumsum(shares)
    return np.minimum(np.searchsorted(edges / edges[-1], keys, side="right"), len(shares) - 1).astype(
        np.int32
    )
