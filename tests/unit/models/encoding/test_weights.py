"""What training learnt, as arrays with names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from models.encoding.weights import TowerWeights
from models.features.features import Sizes
from tests.unit.models.encoding.made import DIM, SIZES, weights


@pytest.mark.parametrize("sizes", [SIZES, Sizes(1, (), 0, 0)])
def test_weights_are_what_their_arrays_say(sizes: Sizes) -> None:
    arrays = weights(sizes).arrays()
    again = TowerWeights.of_arrays(arrays)
    assert (again.sizes, again.dim, again.user.longest) == (sizes, DIM, 24)
    for name, array in again.arrays().items():
        np.testing.assert_array_equal(array, arrays[name])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"listing.text": None}, "no array 'listing.text'"),
        ({"listing.categories.1": None}, "array 'listing.categories.2' is none of a model's"),
        ({"foreign": np.zeros(3)}, "array 'foreign' is none of a model's"),
        ({"user.empty": np.zeros(9, np.float32)}, r"array 'user.empty' must be of shape \[8\], is \[9\]"),
        (
            {"user.inner": np.zeros((1, 8, 3), np.float32)},
            r"array 'user.offset' must be of shape \[1, 3\], is \[1, 12\]",
        ),
        (
            {
                "user.attention": np.zeros((1, 4), np.float32),
                **{f"{tower}.inner": np.zeros((1, 4, 12), np.float32) for tower in ("listing", "user")},
                **{f"{tower}.outer": np.zeros((1, 12, 4), np.float32) for tower in ("listing", "user")},
            },
            "1 parts of 4 coordinates do not make 8",
        ),
        ({"popularity": np.zeros(9, np.float32)}, r"array 'popularity' must be of shape \[30\], is \[9\]"),
        (
            {"listing.numbers": np.zeros(8, np.float32)},
            r"'listing.numbers' must be of shape \[numbers, 8\], is \[8\]",
        ),
        ({"user.attention": np.zeros((1, 8))}, "array 'user.attention' is of float64"),
        ({"user.longest": np.zeros(())}, "array 'user.longest' is of float64"),
        (
            {"user.empty": np.full(8, np.nan, np.float32)},
            "array 'user.empty' holds values that are not finite",
        ),
        ({"weight": np.array(np.inf, np.float32)}, "array 'weight' holds values that are not finite"),
        ({"popularity": np.arange(30, dtype=np.float32)}, "array 'popularity' .* lie between -1 and 1"),
        ({"user.longest": np.array(0)}, "array 'user.longest' must be at least 1"),
    ],
)
def test_what_is_wrong_with_arrays_is_named(change: dict[str, Any], message: str) -> None:
    arrays = {name: array for name, array in (weights().arrays() | change).items() if array is not None}
    with pytest.raises(ValueError, match=message):
        TowerWeights.of_arrays(arrays)


def test_all_problems_are_named_at_once() -> None:
    with pytest.raises(ValueError, match=r"no array 'listing\.ids'; .*no array 'user\.outer'"):
        TowerWeights.of_arrays({})
