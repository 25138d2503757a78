"""Vectors turned and cut off."""

from __future__ import annotations

import numpy as np
import pytest

from models.encoding.padding import padded_listings, padded_users
from models.encoding.rotation import Floats, cut, kept, rotation
from models.features.features import Float32

DIM = 12


def unit_rows(vectors: Floats) -> Float32:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def made(rows: int, seed: int) -> Float32:
    """Unit vectors that lie along some directions more than along others, and not about zero."""
    axes = np.linalg.qr(np.random.default_rng(99).standard_normal((DIM, DIM)))[0] * 0.7 ** np.arange(DIM)
    return unit_rows(np.random.default_rng(seed).standard_normal((rows, DIM)) @ axes.T + 0.2)


LISTINGS, USERS = made(300, 0), made(40, 1)


def orthogonal(seed: int) -> Floats:
    return np.linalg.qr(np.random.default_rng(seed).standard_normal((DIM, DIM)))[0]


def lost(turned: Floats, dim: int) -> float:
    """The sum of squares that is left of the listings when their first coordinates are taken away."""
    listings = LISTINGS.astype(np.float64)
    shorter = listings @ turned[:, :dim]
    return float(np.square(listings - shorter @ turned[:, :dim].T).sum())


def test_with_all_coordinates_inner_products_are_what_they_were() -> None:
    turned = rotation(LISTINGS)
    np.testing.assert_allclose(turned @ turned.T, np.eye(DIM), atol=1e-12)
    whole = cut(USERS, turned, DIM) @ cut(LISTINGS, turned, DIM).T
    np.testing.assert_allclose(whole, USERS @ LISTINGS.T, atol=1e-5)


@pytest.mark.parametrize("dim", [1, 3, 6, 11])
def test_no_other_turn_loses_less_of_the_listings(dim: int) -> None:
    """What is lost is what the smallest singular values say (Eckart and Young), and any other turn loses more."""
    turned = rotation(LISTINGS)
    values = np.linalg.svd(LISTINGS.astype(np.float64), compute_uv=False)
    assert lost(turned, dim) == pytest.approx(np.square(values[dim:]).sum())
    assert all(lost(orthogonal(seed), dim) > lost(turned, dim) for seed in range(20))


def test_a_turn_that_centres_loses_more() -> None:
    """The fault that leaving the mean out would be."""
    centred = rotation(np.asarray(LISTINGS - LISTINGS.mean(axis=0), np.float32))
    assert lost(centred, 2) > 1.1 * lost(rotation(LISTINGS), 2)


@pytest.mark.parametrize("dim", [1, 5, DIM])
def test_cut_vectors_rank_alike_by_every_metric(dim: int) -> None:
    turned = rotation(LISTINGS)
    listings, users = cut(LISTINGS, turned, dim), cut(USERS, turned, dim)
    assert listings.shape == (300, dim)
    assert listings.dtype == np.float32
    for rows in (listings, users):
        np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_popularity_keeps_its_coordinates() -> None:
    """Vectors are cut before they are padded, so what is added is what it was."""
    turned, popularity = rotation(LISTINGS), np.random.default_rng(2).random(300).astype(np.float32)
    whole = padded_listings(LISTINGS, popularity)
    shorter = padded_listings(cut(LISTINGS, turned, 4), popularity)
    assert shorter.shape == (300, 6)
    np.testing.assert_allclose(shorter[:, -2:], whole[:, -2:], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(shorter, axis=1), 1, atol=1e-6)
    users = padded_users(cut(USERS, turned, 4), 0.3)
    scores = cut(USERS, turned, 4) @ cut(LISTINGS, turned, 4).T + 0.3 * popularity
    np.testing.assert_allclose(users @ shorter.T * np.sqrt(2 * 1.09), scores, atol=1e-5)


def test_a_vector_of_which_nothing_is_left_has_a_direction() -> None:
    turned = np.eye(DIM)
    found = cut(np.eye(DIM, dtype=np.float32)[[0, 5]], turned, 2)
    np.testing.assert_array_equal(found, [[1, 0], [1, 0]])


def test_kept_says_how_much_of_the_listings_is_left() -> None:
    turned = rotation(LISTINGS)
    shares = kept(LISTINGS, turned)
    assert shares[-1] == pytest.approx(1)
    assert (np.diff(shares) >= 0).all()
    assert shares[2] == pytest.approx(1 - lost(turned, 3) / 300, abs=1e-6)
