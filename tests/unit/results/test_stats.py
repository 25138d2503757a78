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


def test_moderated_variances_agree_with_limma() -> None:
    """Where variances are equal but for chance, the prior takes nearly all weight; where not, almost none."""
    rng = np.random.default_rng(3)
    df = np.full(200, 4.0)
    same, freedom = stats.moderated(rng.chisquare(4, 200) / 4, df)
    assert np.all(freedom == 34)  # 30 degrees of freedom at most
    assert same.std() < 0.2
    assert same.mean() == pytest.approx(1, abs=0.1)
    # Drawn from the prior of the model (d0 = 6, s0 = 2), it is found again.
    drawn = 4 * 6 / rng.chisquare(6, 5000)
    raw = drawn * rng.chisquare(4, 5000) / 4
    found, freedom = stats.moderated(raw, np.full(5000, 4.0))
    assert freedom[0] - 4 == pytest.approx(6, rel=0.2)
    errors = [float(np.square(np.log(values / drawn)).mean()) for values in (found, raw)]
    assert errors[0] < errors[1] / 2
    spread = np.exp(rng.normal(0, 6, 200))
    apart, freedom = stats.moderated(spread, np.full(200, 4.0))
    assert freedom[0] < 5
    assert np.median(apart / spread) == pytest.approx(1, abs=0.5)


def test_moderated_gives_the_prior_where_nothing_is_known_and_nothing_where_too_little_is() -> None:
    values = np.array([1.0, 1.1, 0.9, 1.05, 0.95, np.nan, 0.0])
    df = np.array([4.0, 4.0, 4.0, 4.0, 4.0, 0.0, 4.0])
    found, freedom = stats.moderated(values, df)
    assert freedom[5] == 5  # no more than it rests on estimates
    assert found[5] == pytest.approx(1, rel=0.4)
    assert 0 < found[6] < 1
    few, unchanged = stats.moderated(values[3:], df[3:])
    assert few[:2].tolist() == [1.05, 0.95]
    assert np.isnan(few[2])
    assert few[3] == 0
    assert unchanged.tolist() == [4, 4, 0, 4]


def test_a_moderated_test_keeps_its_level_far_out_in_the_tail() -> None:
    """One in a thousand, from three trials: Student's test without the prior is as true but needs far more."""
    rng = np.random.default_rng(5)
    alarms, total = 0, 0
    for _ in range(200):
        values = rng.normal(size=(100, 2, 3))
        variance, df = stats.moderated(values.var(axis=2, ddof=1).mean(axis=1), np.full(100, 4.0))
        t = (values[:, 1].mean(axis=1) - values[:, 0].mean(axis=1)) / np.sqrt(variance * 2 / 3)
        alarms += sum(value > stats.student_t_quantile(0.999, own) for value, own in zip(t, df, strict=True))
        total += 100
    assert alarms / total == pytest.approx(0.001, abs=0.0008)


def test_a_rise_of_a_rate_is_tested_exactly() -> None:
    # Of 3 events all in the second of two equal windows: 1/8; thrice as long a window: (3/4)^3.
    assert stats.rate_rise_p(3, 10, 0, 10) == pytest.approx(1 / 8)
    assert stats.rate_rise_p(3, 30, 0, 10) == pytest.approx(27 / 64)
    # Binomial: at least 4 of 5.
    assert stats.rate_rise_p(4, 10, 1, 10) == pytest.approx(6 / 32)
    assert stats.rate_rise_p(0, 10, 5, 10) == 1
    # What is tested: a rate twice as high is no rise of more than a factor of two.
    assert stats.rate_rise_p(200, 10, 100, 10, factor=2) == pytest.approx(0.5, abs=0.05)


def test_bound_and_number_of_events_belong_to_the_test() -> None:
    level = 0.01
    bound = float(stats.rate_rise_bound(40, 20, 10, 10, level))
    assert stats.rate_rise_p(40, 20, 10, 10, factor=bound) == pytest.approx(level)
    enough = float(stats.rate_rise_events(20, 10, 10, level, 1.1))
    assert stats.rate_rise_p(enough, 20, 10, 10, factor=1.1) == pytest.approx(level)
    assert stats.rate_rise_bound(0, 20, 10, 10, level) == 0


def test_the_test_of_rates_keeps_its_level() -> None:
    rng = np.random.default_rng(6)
    before, after = rng.poisson(8, 20_000), rng.poisson(24, 20_000)
    p = stats.rate_rise_p(after, 30.0, before, 10.0)
    assert np.mean(p <= 0.05) <= 0.05 + 0.005
    assert np.mean(p <= 0.05) > 0.02


def test_dispersion_is_one_for_poisson_counts_and_more_for_bursts() -> None:
    rng = np.random.default_rng(7)
    exposure = rng.uniform(500, 2000, (400, 3))
    steady = rng.poisson(0.01 * exposure).astype(float)
    assert stats.dispersion(steady, exposure) == pytest.approx(1.05, abs=0.15)
    assert stats.dispersion(5 * steady, exposure) == pytest.approx(5, rel=0.15)
    assert stats.dispersion(np.array([[5.0]]), np.array([[10.0]])) == 1
    lost = np.where(rng.random(exposure.shape) < 0.3, np.nan, steady)
    assert stats.dispersion(lost, np.where(np.isnan(lost), np.nan, exposure)) == pytest.approx(1.05, abs=0.2)
