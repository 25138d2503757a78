"""Popularity in a vector: scores with a term for each listing, ranked alike by inner product, cosine and distance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from models.features.features import Float32

ADDED = 2  # coordinates, by padding


def padded_listings(vectors: Float32, popularity: Float32, most: float = 1.0) -> Float32:
    """Unit vectors float32[n, d + 2] of n listings.

    vectors: float32[n, d], unit vectors. popularity: float32[n], each between -most and most. One coordinate more holds
    the popularity, another what brings all listings to one norm, so that for a user of `padded_users`

        inner product = (user . vector + weight * popularity) / sqrt((1 + most^2) (1 + weight^2))

    and cosine and Euclidean distance rank as it does (Bachrach et al. 2014 reduce inner products to distances by such
    a coordinate). Raises ValueError for a popularity out of bounds, which no coordinate could make up for.
    """
    if not (np.abs(popularity) <= most).all():
        raise ValueError(f"popularity must lie between {-most} and {most}")
    lengths = np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64)
    rest = 1 + most**2 - lengths - np.square(popularity, dtype=np.float64)
    padding = np.sqrt(np.maximum(rest, 0))  # unit vectors are longer than 1 by rounding
    return _joined([vectors, popularity, padding], 1 + most**2)


def unpadded_listings(padded: Float32, most: float = 1.0) -> Float32:
    """The vectors float32[n, d] that `padded_listings` made float32[n, d + 2] of."""
    return np.asarray(padded[:, :-2] * np.sqrt(1 + most**2), np.float32)


def padded_users(vectors: Float32, weight: float) -> Float32:
    """Unit vectors float32[u, d + 2] of u users, whose vectors are float32[u, d]; weight: of popularity in a score."""
    rows = len(vectors)
    return _joined([vectors, np.full(rows, weight), np.zeros(rows)], 1 + weight**2)


def _joined(parts: Sequence[npt.NDArray[np.floating]], square: float) -> Float32:
    """The parts side by side, divided by their norm, whose square is given."""
    return np.asarray(np.column_stack(parts) / np.sqrt(square), np.float32)
