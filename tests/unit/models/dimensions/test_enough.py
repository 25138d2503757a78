"""Which dimension is enough: only one that surely loses little enough, and above which all do."""

from __future__ import annotations

import pytest

from harness.results.stats import Comparison
from models.dimensions.enough import enough

TOLERANCE = 0.02


def loss(value: float, low: float | None, high: float | None) -> Comparison:
    return Comparison(value, low, high, None, 0.95)


GOOD, BAD = loss(0.005, -0.002, 0.012), loss(0.03, 0.02, 0.04)
UNSURE = loss(0.005, -0.02, 0.03)


@pytest.mark.parametrize(
    ("lost", "expected"),
    [
        ({128: None, 64: GOOD, 32: BAD}, 64),
        ({32: GOOD, 128: None, 64: GOOD}, 32),
        ({128: None, 64: BAD, 32: BAD}, 128),
        ({128: None, 64: UNSURE, 32: BAD}, 128),  # small as it looks, nobody knows
        ({128: None, 64: BAD, 32: GOOD}, 128),  # luck: what is less cannot be more
        ({128: GOOD, 64: BAD}, 128),
        ({128: BAD, 64: GOOD}, None),
        ({128: None, 64: loss(0.0, None, None)}, 128),  # too few cases for an interval
        ({128: None, 64: loss(0.019, 0.018, 0.02)}, 128),  # the bound itself is not within
    ],
)
def test_the_smallest_of_an_unbroken_row(lost: dict[int, Comparison | None], expected: int | None) -> None:
    assert enough(lost, TOLERANCE) == expected
