"""Vectors of listings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.encoding import listing as room
from models.encoding.listing import ListingEncoder
from models.encoding.maths import residual, unit
from models.features.features import Features, Float32, Sizes
from tests.unit.models.encoding.made import DIM, features, weights


def plainly(tower: ListingEncoder, one: Features, row: int) -> Float32:
    """The vector of one listing, feature by feature."""
    held = tower.weights
    total = held.ids[one.ids[row]].copy() if one.ids[row] else np.zeros(DIM, np.float32)
    for column, table in enumerate(held.categories):
        total += table[one.categories[row, column]]
    for column, value in enumerate(one.numbers[row]):
        total += value * held.numbers[column]
    for column, value in enumerate(one.text[row]):
        total += value * held.text[column]
    return unit(residual(total, held.residual), len(held.residual.inner))


@pytest.mark.parametrize("parts", [1, 2])
def test_a_listing_is_the_sum_of_its_features_through_the_layer(parts: int) -> None:
    tower, made = ListingEncoder(weights(parts=parts).listing), features(40)
    assert (made.ids == 0).any()
    expected = np.array([plainly(tower, made, row) for row in range(40)])
    np.testing.assert_allclose(tower.vectors(made), expected, atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(expected, axis=1), 1, atol=1e-5)


def test_the_row_of_no_id_does_not_count() -> None:
    held = weights().listing
    changed = held.ids.copy()
    changed[0] += 100
    made = features(40)
    before = ListingEncoder(held).vectors(made)
    np.testing.assert_array_equal(ListingEncoder(replace(held, ids=changed)).vectors(made), before)
    changed[made.ids.max()] += 100
    assert not np.array_equal(ListingEncoder(replace(held, ids=changed)).vectors(made), before)


def test_many_listings_one_and_none(monkeypatch: pytest.MonkeyPatch) -> None:
    tower, made = ListingEncoder(weights().listing), features(40)
    whole = tower.vectors(made)
    monkeypatch.setattr(room, "_CHUNK", 7)
    np.testing.assert_allclose(tower.vectors(made), whole, atol=1e-6)
    np.testing.assert_allclose(tower.vectors(made.take(slice(3, 4))), whole[3:4], atol=1e-6)
    assert tower.vectors(made.take(slice(0, 0))).shape == (0, DIM)


def test_listings_of_ids_alone() -> None:
    sizes = Sizes(ids=5, categories=(), numbers=0, text=0)
    vectors = ListingEncoder(weights(sizes).listing).vectors(features(9, sizes))
    assert np.isfinite(vectors).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
