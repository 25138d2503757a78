"""Numbers as standard deviations."""

from __future__ import annotations

import numpy as np
import pytest

from models.features.numbers import Float64, NumberScale, NumberScales, no_numbers


def encoded(values: Float64, fitted: Float64 | None = None) -> Float64:
    """float64[n, 2] of one column."""
    scales = NumberScales.of([NumberScale.fit(values if fitted is None else fitted)])
    return scales.encode(values[:, None])[0].astype(np.float64)


def hostile(generator: np.random.Generator, rows: int) -> Float64:
    """Any float64 there is, NaN and infinities among them; or few distinct ones, huge, tiny or nearly the same."""
    if generator.random() < 0.5:
        return generator.integers(0, 2**64, rows, np.uint64, endpoint=False).view(np.float64)
    few = [0.0, 1.0, 1 + 2**-52, -1.0, np.nan, np.inf, -np.inf, 1.7e308, -1.7e308, 5e-324, 1e-310, 1e16]
    return generator.choice(generator.choice(few, 4), rows)


def test_nothing_but_finite_numbers_near_0_comes_out() -> None:
    for seed in range(300):
        generator = np.random.default_rng(seed)
        fitted, values = (hostile(generator, int(generator.integers(0, 12))) for _ in range(2))
        result = encoded(values, fitted)
        assert np.isfinite(result).all(), seed
        assert (np.abs(result[:, 0]) <= 5).all(), seed
        assert (result[:, 1] == ~np.isfinite(values)).all(), seed
        assert (result[~np.isfinite(values), 0] == 0).all(), seed


def test_values_are_standardised() -> None:
    values = np.random.default_rng(0).normal(50, 7, 5000)
    result = encoded(values)[:, 0]
    assert not NumberScale.fit(values).log
    assert (result.mean(), result.std()) == pytest.approx((0, 1), abs=1e-6)
    assert np.corrcoef(result, values)[0, 1] > 0.999


@pytest.mark.parametrize("unit", [1.0, 1e-4, 1e6])
def test_a_heavy_tail_is_taken_by_its_logarithm_whatever_the_currency(unit: float) -> None:
    values = np.random.default_rng(0).lognormal(0, 1.5, 5000)
    scale = NumberScale.fit(values * unit)
    assert scale.log
    assert encoded(values * unit) == pytest.approx(encoded(values), abs=1e-5)


@pytest.mark.parametrize(
    "values",
    [
        np.random.default_rng(0).uniform(0, 9, 5000),
        np.abs(np.random.default_rng(0).normal(0, 1, 5000)),
        np.random.default_rng(0).lognormal(0, 1.5, 5000) - 0.01,  # some are negative
        -np.random.default_rng(0).lognormal(0, 1.5, 5000),
    ],
)
def test_other_numbers_are_taken_as_they_are(values: Float64) -> None:
    assert not NumberScale.fit(values).log


def test_one_huge_value_does_not_make_the_others_equal() -> None:
    values = np.append(np.random.default_rng(0).normal(50, 7, 5000), 1e30)
    assert encoded(values)[:-1, 0].std() == pytest.approx(1, abs=0.05)


def test_a_rare_value_beside_a_common_one_is_told_apart() -> None:
    values = np.append(np.zeros(5000), [3.0, 3.0])
    result = encoded(values)[:, 0]
    assert result[-1] == 5
    assert abs(result[0]) < 0.1


@pytest.mark.parametrize("value", [0.0, 7.3, -1e300, 1e-320])
def test_a_constant_column_says_nothing(value: float) -> None:
    assert (encoded(np.full(99, value)) == 0).all()
    assert (encoded(np.array([0.0, 5.0, -5.0]), np.full(99, value)) == 0).all()


def test_a_column_that_is_constant_but_for_rounding_says_nothing() -> None:
    values = np.array([0.3, 0.1 + 0.2] * 50)
    assert values[0] != values[1]
    assert (encoded(values)[:, 0] == 0).all()
    assert (encoded(np.array([0.3, 0.3001] * 50))[:, 0] != 0).all()


def test_missing_and_infinite_values_are_counted_apart_and_do_not_count_in_the_fit() -> None:
    values = np.random.default_rng(0).normal(5, 2, 100)
    scales = [NumberScale.fit(np.concatenate([values, [np.nan, np.inf, -np.inf]])), NumberScale.fit(values)]
    assert scales[0] == scales[1]
    rows = np.array([[np.nan, 5.0], [np.inf, 5.0], [-np.inf, np.nan], [5.0, 5.0]])
    result, missing, infinite = NumberScales.of(scales).encode(rows)
    assert missing.tolist() == [1, 1]
    assert infinite.tolist() == [2, 0]
    assert result[:, 1].tolist() == [1, 1, 1, 0]
    assert result[3, 0] == result[3, 2] != 0


def test_what_is_given_is_not_changed() -> None:
    values = np.array([[1.0], [np.nan], [9e99]])
    before = values.copy()
    NumberScales.of([NumberScale.fit(np.arange(9.0))]).encode(values)
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("columns", [0, 1, 3])
def test_a_listing_without_numbers(columns: int) -> None:
    scales = NumberScales.of([NumberScale.fit(np.arange(9.0))] * columns)
    np.testing.assert_array_equal(no_numbers(columns), scales.encode(np.full((1, columns), np.nan))[0][0])
