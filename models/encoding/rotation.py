"""Shorter vectors of a trained model: turned so that the last coordinates say least, and cut off."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from models.features.features import Float32

Floats = npt.NDArray[np.float64]


def rotation(listings: Float32) -> Floats:
    """The orthogonal float64[d, d] that turns vectors so that cutting them off loses least of these listings.

    listings: float32[n, d]. Its columns are the right singular vectors, the largest singular value first. Of all
    float64[n, d] of rank r, the listings with only their first r coordinates are the nearest to the listings (Eckart
    and Young 1936), so inner products with users, taken over users that lie in all directions alike, change least.
    Nothing is centred: a mean taken away would change inner products. Fewer listings than dimensions leave the last
    columns arbitrary, which nothing lies along.
    """
    # Of the d x d matrix, so that a large catalogue needs no more memory; its eigenvectors are the same.
    products = np.asarray(listings, np.float64).T @ np.asarray(listings, np.float64)
    vectors: Floats = np.linalg.eigh(products)[1][:, ::-1]
    return vectors


def cut(vectors: Float32, turned: Floats, dim: int) -> Float32:
    """The first `dim` coordinates of vectors float32[n, d] turned by float64[d, d], with length 1: float32[n, dim].

    Of users and listings alike, so that inner product, cosine and Euclidean distance rank alike as before. A vector of
    which nothing is left becomes the first axis, since zero has no direction. With all coordinates inner products are
    what they were.
    """
    shorter = np.asarray(vectors, np.float64) @ turned[:, :dim]
    lengths = np.linalg.norm(shorter, axis=1, keepdims=True)
    nothing = lengths[:, 0] <= np.finfo(np.float32).tiny
    shorter[nothing], lengths[nothing] = np.eye(dim)[0], 1
    return np.asarray(shorter / lengths, np.float32)


def kept(listings: Float32, turned: Floats) -> Floats:
    """The share of the listings' squared lengths within the first 1, 2, ... d coordinates: float64[d], ending at 1."""
    squares = np.square(np.asarray(listings, np.float64) @ turned).sum(axis=0)
    shares: Floats = np.cumsum(squares) / squares.sum()
    return shares
