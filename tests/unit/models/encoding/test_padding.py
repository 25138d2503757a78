"""Popularity in a vector."""

from __future__ import annotations

import numpy as np
import pytest

from models.encoding.padding import padded_listings, padded_users, unpadded_listings
from models.features.features import Float32
from tests.unit.models.encoding.made import DIM, unit_vectors

VECTORS, USERS = unit_vectors(200), unit_vectors(20, 1)
POPULARITY = np.random.default_rng(2).random(200).astype(np.float32)


def rankings(listings: Float32, users: Float32) -> list[np.ndarray[tuple[int, int], np.dtype[np.int64]]]:
    """By inner product, cosine and distance, best first."""
    listings, users = listings.astype(np.float64), users.astype(np.float64)
    product = users @ listings.T
    cosine = product / np.linalg.norm(listings, axis=1) / np.linalg.norm(users, axis=1)[:, None]
    distance = np.square(users[:, None] - listings).sum(axis=-1)
    return [np.argsort(-product), np.argsort(-cosine), np.argsort(distance)]


@pytest.mark.parametrize("weight", [0.0, 0.3, -0.3, 5.0])
@pytest.mark.parametrize("most", [1.0, 3.0])
def test_all_metrics_rank_by_nearness_and_popularity(weight: float, most: float) -> None:
    listings, users = padded_listings(VECTORS, POPULARITY, most), padded_users(USERS, weight)
    assert listings.shape == (200, DIM + 2)
    assert (listings.dtype, users.dtype) == (np.float32, np.float32)
    scores = USERS.astype(np.float64) @ VECTORS.T + weight * POPULARITY
    for ranking in rankings(listings, users):
        ranked = np.take_along_axis(scores, ranking, axis=1)
        assert (np.diff(ranked) <= 1e-5).all()
    np.testing.assert_allclose(
        users @ listings.T * np.sqrt((1 + most**2) * (1 + weight**2)), scores, atol=1e-5
    )
    for rows in (listings, users):
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_without_the_last_coordinate_they_would_not() -> None:
    listings, users = (np.column_stack(pair) for pair in ((VECTORS, POPULARITY), (USERS, np.full(20, 0.3))))
    product, cosine, distance = rankings(listings, users)
    assert (product != cosine).any()
    assert (product != distance).any()


def test_the_most_popular_and_the_least_can_be_padded() -> None:
    extremes = np.array([1, -1, 0], np.float32)
    assert np.isfinite(padded_listings(VECTORS[:3] * np.float32(1 + 1e-6), extremes)).all()
    assert padded_listings(VECTORS[:0], extremes[:0]).shape == (0, DIM + 2)


@pytest.mark.parametrize("popularity", [1.01, -1.01, np.nan])
def test_what_no_coordinate_can_make_up_for_is_refused(popularity: float) -> None:
    with pytest.raises(ValueError, match="popularity must lie between"):
        padded_listings(VECTORS[:1], np.array([popularity], np.float32))


@pytest.mark.parametrize("most", [1.0, 3.0])
def test_padding_can_be_taken_away(most: float) -> None:
    padded = padded_listings(VECTORS, POPULARITY, most)
    np.testing.assert_allclose(unpadded_listings(padded, most), VECTORS, atol=1e-6)
    assert unpadded_listings(padded).dtype == np.float32
