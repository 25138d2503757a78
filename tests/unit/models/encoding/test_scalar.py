"""Vectors in bytes."""

from __future__ import annotations

import numpy as np
import pytest

from models.encoding.scalar import LEVELS, Scale, rounded
from models.features.features import Float32

WIDTHS = np.array([1.0, 0.1, 10.0, 1e-4], np.float32)


def vectors(rows: int = 500) -> Float32:
    """Coordinates of different width, one beside zero."""
    made = np.random.default_rng(0).standard_normal((rows, 4)) * WIDTHS + [0, 3, 0, 0]
    return made.astype(np.float32)


def test_no_coordinate_is_off_by_more_than_half_a_step() -> None:
    given = vectors()
    scale = Scale.of(given)
    codes = scale.codes(given)
    assert codes.dtype == np.uint8
    assert codes.shape == given.shape
    assert (codes.min(axis=0) == 0).all()
    assert (codes.max(axis=0) == LEVELS - 1).all()
    slack = 1e-6 * np.abs(given).max(axis=0)
    assert (np.abs(scale.values(codes) - given) <= scale.step / 2 + slack).all()


def test_one_scale_for_all_coordinates_would_lose_the_narrow_ones() -> None:
    """The fault that a common scale would be."""
    given = vectors()
    own, common = Scale.of(given), Scale(np.full(4, given.min()), np.full(4, np.ptp(given) / (LEVELS - 1)))
    off = [np.abs(rounded(given, scale) - given).max(axis=0) / WIDTHS for scale in (own, common)]
    assert off[0].max() < 0.05
    assert off[1][3] > 1


def test_what_lies_beyond_a_scale_is_at_its_end() -> None:
    scale = Scale(np.zeros(2, np.float32), np.full(2, 0.5, np.float32))
    beyond = np.array([[-3, 1000]], np.float32)
    np.testing.assert_array_equal(scale.codes(beyond), [[0, 255]])
    np.testing.assert_array_equal(rounded(beyond, scale), [[0, 127.5]])


@pytest.mark.parametrize("rows", [1, 20])
def test_equal_coordinates_stay_what_they_are(rows: int) -> None:
    same = np.tile(np.array([[0.25, -1.5]], np.float32), (rows, 1))
    np.testing.assert_array_equal(rounded(same), same)
