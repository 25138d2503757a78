import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.results import stats


@pytest.mark.parametrize(
    ("p", "df", "t"),  # tables of Student's distribution, to their last printed digit
    [
        (0.975, 1, 12.706),
        (0.975, 2, 4.303),
        (0.975, 3, 3.182),
        (0.975, 4, 2.776),
        (0.95, 5, 2.015),
        (0.90, 7, 1.415),
        (0.995, 30, 2.750),
        (0.9995, 2, 31.599),
        (0.9995, 1, 636.619),
        (0.975, 120, 1.980),
        (0.975, 1e6, 1.960),
        (0.5, 3, 0.0),
        (0.025, 4, -2.776),
    ],
)
def test_student_t_quantile_agrees_with_tables(p: float, df: float, t: float) -> None:
    assert stats.student_t_quantile(p, df) == pytest.approx(t, abs=6e-4)


@settings(deadline=None)
@given(st.floats(0.001, 0.999), st.floats(0.8, 300))
def test_student_t_quantile_inverts_the_tail(p: float, df: float) -> None:
    t = stats.student_t_quantile(p, df)
    assert stats.student_t_tail(t, df) == pytest.approx(2 * min(p, 1 - p), rel=1e-9)


@pytest.mark.parametrize("df", [1, 2.5, 4, 17])
def test_student_t_tail_agrees_with_the_integral_of_the_density(df: float) -> None:
    norm = math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2)) / math.sqrt(df * math.pi)
    x = np.linspace(0, 2.5, 20_001)
    inside = 2 * norm * np.trapezoid((1 + x**2 / df) ** (-(df + 1) / 2), x)
    assert stats.student_t_tail(2.5, df) == pytest.approx(1 - inside, abs=1e-8)


@settings(deadline=None)
@given(st.floats(0.2, 50), st.floats(0.2, 50), st.floats(0.001, 0.999))
def test_incomplete_beta_is_symmetric_and_bounded(a: float, b: float, x: float) -> None:
    value = stats.incomplete_beta(a, b, x)
    assert -1e-12 <= value <= 1 + 1e-12
    assert value == pytest.approx(1 - stats.incomplete_beta(b, a, 1 - x), abs=1e-12)


@pytest.mark.parametrize(
    ("a", "b", "x", "value"),
    [
        (1, 1, 0.3, 0.3),
        (3, 1, 0.5, 0.125),  # x^a
        (1, 4, 0.5, 1 - 0.5**4),  # 1 - (1 - x)^b
        (0.5, 0.5, 0.25, 2 / math.pi * math.asin(0.5)),
        (2, 3, 0.0, 0.0),
        (2, 3, 1.0, 1.0),
    ],
)
def test_incomplete_beta_in_closed_form(a: float, b: float, x: float, value: float) -> None:
    assert stats.incomplete_beta(a, b, x) == pytest.approx(value, abs=1e-13)


def test_mean_interval() -> None:
    interval = stats.mean_interval([10.0, 12.0, 14.0])
    half = 4.302653 * 2 / math.sqrt(3)
    assert (interval.estimate, interval.low, interval.high) == pytest.approx(
        (12, 12 - half, 12 + half), rel=1e-6
    )
    equal = stats.mean_interval([0.95, 0.95, 0.95])
    assert (equal.estimate, equal.low, equal.high) == (0.95, 0.95, 0.95)
    alone = stats.mean_interval([3.0])
    assert (alone.estimate, alone.low, alone.high) == (3.0, None, None)


def test_three_trials_need_student_not_the_bootstrap() -> None:
    """What the docstring of mean_interval says about coverage, by simulation."""
    rng = np.random.default_rng(1)
    covered = {"student": 0, "bootstrap": 0}
    for sample in rng.normal(5.0, 1.0, size=(1000, 3)):
        student = stats.mean_interval(sample)
        means = sample[stats.resamples(3, rng)].mean(axis=1)
        for name, (low, high) in {
            "student": (student.low, student.high),
            "bootstrap": np.quantile(means, [0.025, 0.975]),
        }.items():
            covered[name] += bool(low <= 5.0 <= high)  # type: ignore[operator]
    assert covered["student"] == pytest.approx(950, abs=25)
    assert covered["bootstrap"] == pytest.approx(670, abs=40)


def test_compare_differences_is_welchs() -> None:
    """By hand: variances 4/3 and 9/3, df = (13/3)^2 / ((4/3)^2/2 + (9/3)^2/2)."""
    result = stats.compare_differences([8.0, 10.0, 12.0], [17.0, 20.0, 23.0])
    variance = Fraction(4, 3) + Fraction(9, 3)
    df = variance**2 / ((Fraction(4, 3) ** 2 + Fraction(9, 3) ** 2) / 2)
    half = stats.student_t_quantile(0.975, float(df)) * math.sqrt(variance)
    assert (result.change, result.low, result.high) == pytest.approx((10, 10 - half, 10 + half))
    assert result.p_value == pytest.approx(stats.student_t_tail(10 / math.sqrt(variance), float(df)))


def test_one_trial_has_no_interval() -> None:
    result = stats.compare_ratios([2.0], [3.0, 3.1])
    assert result.change == pytest.approx(math.sqrt(9.3) / 2)
    assert (result.low, result.high, result.p_value) == (None, None, None)


@pytest.mark.parametrize(
    ("a", "b", "change", "p_value"),
    [
        ([1.0, 1.0], [1.0, 1.0, 1.0], 0.0, 1.0),
        ([0.1 + 0.2, 0.3], [0.3, 0.3], 0.0, 1.0),
        ([1.0, 1.0], [2.0, 2.0], 1.0, 0.0),
    ],
)
def test_values_that_do_not_vary_compare_exactly(
    a: list[float], b: list[float], change: float, p_value: float
) -> None:
    result = stats.compare_differences(a, b)
    assert (result.change, result.low, result.high) == pytest.approx((change,) * 3, abs=1e-12)
    assert result.p_value == p_value


def test_compare_ratios_is_symmetric_on_logarithms() -> None:
    a, b = [90.0, 100.0, 115.0], [180.0, 210.0, 205.0]
    forward, backward = stats.compare_ratios(a, b), stats.compare_ratios(b, a)
    assert forward.low is not None
    assert backward.high is not None
    assert forward.change == pytest.approx(1 / backward.change)
    assert forward.low == pytest.approx(1 / backward.high)
    assert forward.low < 2 < (forward.high or 0)


@pytest.mark.parametrize("bad", [0.0, -1.0])
def test_compare_ratios_refuses_values_without_a_logarithm(bad: float) -> None:
    with pytest.raises(ValueError, match="values > 0"):
        stats.compare_ratios([1.0, bad], [1.0, 2.0])


def test_welch_covers_what_it_says() -> None:
    rng = np.random.default_rng(2)
    covered = 0
    for _ in range(1000):
        a, b = rng.normal(1.0, 0.02, 3), rng.normal(1.3, 0.08, 3)
        result = stats.compare_differences(a, b)
        assert result.low is not None
        assert result.high is not None
        covered += result.low <= 0.3 <= result.high
    assert 935 <= covered <= 985


def test_harmonic_mean_is_the_rate_of_an_equal_mix() -> None:
    # One query at 100/s and one at 25/s take 0.01 s + 0.04 s: 40/s.
    assert stats.harmonic_mean([100.0, 25.0]) == pytest.approx(40)
    assert stats.harmonic_mean([100.0, 0.0]) == 0
    assert math.isnan(stats.harmonic_mean([100.0, math.nan]))
    rates = np.array([[100.0, 10.0], [25.0, 10.0]])
    assert stats.harmonic_mean(rates, axis=0) == pytest.approx([40, 10])


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_few_trials_are_resampled_exactly(n: int) -> None:
    rows = stats.resamples(n, np.random.default_rng(0))
    assert rows.shape == (n**n, n)
    assert len({tuple(row) for row in rows}) == n**n
    assert rows.min() == 0
    assert rows.max() == n - 1


def test_many_trials_are_resampled_at_random() -> None:
    first, again = (stats.resamples(6, np.random.default_rng(4), draws=500) for _ in range(2))
    assert first.shape == (500, 6)
    assert (first == again).all()
    assert set(np.unique(first)) == set(range(6))


def test_benjamini_hochberg() -> None:
    # The example of Benjamini and Hochberg (1995), section 3.2: 4 of 15 are believed at 0.05.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344]
    p += [0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 1.000]
    order = np.random.default_rng(0).permutation(15)
    believed = stats.benjamini_hochberg(np.array(p)[order])
    assert sorted(np.array(p)[order][believed]) == p[:4]
    # A step-up procedure: a later one that passes carries those before it.
    assert stats.benjamini_hochberg([0.04, 0.045, 0.049]).all()
    assert not stats.benjamini_hochberg([0.2, 0.9]).any()
    assert stats.benjamini_hochberg([]).shape == (0,)
