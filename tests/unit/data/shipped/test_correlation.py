"""The dial between attributes and vectors moves their dependence, never their distribution."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.data.shipped.correlation import choose, correlated_keys, stretches, zipf


@given(
    st.lists(st.integers(0, 50), min_size=1, max_size=20).filter(any),
    st.floats(0, 1),
    st.integers(0, 2**32),
)
def test_keys_stay_uniform_at_every_strength(counts: list[int], strength: float, seed: int) -> None:
    # 200 copies of the groups: the largest gap to the uniform distribution is below 3.2/sqrt(n) (Kolmogorov,
    # level 4e-9); drawing within stretches only makes it smaller.
    groups = np.repeat(np.arange(len(counts)), np.array(counts) * 200)
    starts, widths = stretches(np.array(counts))
    keys = np.sort(correlated_keys(groups, starts, widths, strength, np.random.default_rng(seed)))
    assert keys[0] >= 0 and keys[-1] < 1
    gap = np.abs(keys - np.arange(1, len(keys) + 1) / len(keys)).max()
    assert gap < 3.2 / np.sqrt(len(keys))


def test_full_strength_keeps_each_group_in_its_stretch() -> None:
    groups = np.repeat([0, 1, 2], [100, 300, 600])
    starts, widths = stretches(np.array([100, 300, 600]))
    keys = correlated_keys(groups, starts, widths, 1.0, np.random.default_rng(0))
    assert starts.tolist() == [0.0, 0.1, 0.4]
    assert ((keys >= starts[groups]) & (keys <= (starts + widths)[groups])).all()


def test_no_strength_lets_every_group_go_anywhere() -> None:
    groups = np.repeat([0, 1], 5000)
    starts, widths = stretches(np.array([5000, 5000]))
    keys = correlated_keys(groups, starts, widths, 0.0, np.random.default_rng(0))
    assert (keys[:5000] < 0.5).mean() == pytest.approx(0.5, abs=0.03)


@given(st.integers(1, 200), st.floats(0, 2), st.floats(0, 10))
def test_zipf_shares_fall_and_sum_to_one(count: int, exponent: float, shift: float) -> None:
    shares = zipf(count, exponent, shift)
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares) <= 0).all()
    assert shares[0] / shares[-1] == pytest.approx(((count + shift) / (1 + shift)) ** exponent)


def test_choose_is_the_inverse_distribution_function() -> None:
    shares = np.array([0.25, 0.0, 0.5, 0.25])
    keys = np.array([0.0, 0.2499, 0.25, 0.7499, 0.75, np.nextafter(1, 0)])
    assert choose(shares, keys).tolist() == [0, 0, 2, 2, 3, 3]
