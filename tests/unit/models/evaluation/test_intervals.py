from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.evaluation import intervals
from models.evaluation.figures import Whole, coverage, gini
from models.evaluation.intervals import (
    bootstrap_means,
    compare_means,
    compare_wholes,
    nearly_equal,
    percentile_bounds,
    share_interval,
    weights,
    whole_interval,
)
from tests.unit.models.evaluation.made_up import cases


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_every_draw_has_as_many_cases_as_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intervals, "_CELLS", 40)
    blocks = list(weights(12, 200, rng()))
    assert max(map(len, blocks)) == 3
    drawn = np.concatenate(blocks)
    assert drawn.shape == (200, 12)
    assert (drawn.sum(axis=1) == 12).all()
    assert drawn.mean(axis=0) == pytest.approx(np.ones(12), abs=0.25)
    assert drawn.var() == pytest.approx(11 / 12, abs=0.08)


def test_draws_agree_with_naive_resampling() -> None:
    values = rng(1).normal(size=(30, 2))
    values[::3, 1] = np.nan
    means = bootstrap_means(values, rng(2), 50)
    assert means.counts.tolist() == [30, 20]
    assert means.values == pytest.approx(np.nanmean(values, axis=0))
    drawn = rng(2).integers(0, 30, size=(50, 30))
    assert means.draws == pytest.approx(np.nanmean(values[drawn], axis=1))


def test_equal_seeds_give_equal_intervals() -> None:
    values = rng(1).normal(size=(40, 1))
    first, same, other = (compare_means(values, rng(seed), draws=200)[0] for seed in (3, 3, 4))
    assert first == same
    assert first.low != other.low


def covers(sample: Callable[[int, np.random.Generator], Any], truth: float, cases: int, **more: Any) -> float:
    """The share of 1,500 data sets whose interval holds the truth. They are columns, so they share the draws."""
    values = sample(cases, rng(5))
    found = compare_means(values, rng(6), draws=600, **more)
    inside = [c.low <= truth <= c.high for c in found if c.low is not None and c.high is not None]
    assert len(inside) == values.shape[1]
    return float(np.mean(inside))


def skewed(cases: int, own: np.random.Generator) -> Any:
    return own.exponential(size=(cases, 1500))


def hits(cases: int, own: np.random.Generator) -> Any:
    """Differences of hits of two recommenders that find 30 % and 22 %, mostly the same."""
    kind = own.random((cases, 1500))
    return np.where(kind < 0.12, 1.0, np.where(kind < 0.16, -1.0, 0.0))


def alike(cases: int, own: np.random.Generator) -> Any:
    """As `hits`, of recommenders that differ in 2 % of the cases, all of them won."""
    return (own.random((cases, 1500)) < 0.02).astype(np.float64)


@pytest.mark.parametrize(
    ("sample", "truth", "cases", "bounded", "least"),
    [
        (skewed, 1.0, 20, False, 0.90),
        (skewed, 1.0, 200, False, 0.93),
        (hits, 0.08, 40, True, 0.93),
        (hits, 0.08, 400, True, 0.935),
        (alike, 0.02, 60, True, 0.93),
        (alike, 0.02, 600, True, 0.92),
    ],
)
def test_intervals_cover_the_truth(
    sample: Callable[..., Any], truth: float, cases: int, bounded: bool, least: float
) -> None:
    share = covers(sample, truth, cases, bounded=np.full(1500, bounded))
    assert least <= share
    assert share < 0.99 or sample is alike  # of few that differ it is cautious


def test_plain_bootstrap_fails_where_few_cases_differ() -> None:
    """The twin of the test above: without what is done for few differences, most intervals are of length 0."""
    assert covers(alike, 0.02, 60, bounded=np.full(1500, False)) < 0.75


def test_the_plain_percentile_is_too_narrow_with_few_cases() -> None:
    values = rng(7).normal(size=(6, 800))
    draws = bootstrap_means(values, rng(8), 600).draws
    plain = np.quantile(draws, [0.025, 0.975], axis=0)
    wider = np.array([percentile_bounds(column, 6, 0.95) for column in draws.T]).T
    inside = [float(((bounds[0] <= 0) & (bounds[1] >= 0)).mean()) for bounds in (plain, wider)]
    assert inside[0] < 0.88
    assert 0.92 < inside[1] < 0.98


def test_p_values_are_uniform_where_nothing_differs_and_small_where_something_does() -> None:
    values = rng(9).normal(size=(50, 600))
    p = np.array([c.p_value for c in compare_means(values, rng(10), draws=600)])
    assert (p <= 0.05).mean() == pytest.approx(0.05, abs=0.03)
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.07)
    assert all(
        c.p_value is not None and c.p_value < 0.01 for c in compare_means(values[:, :5] + 1, rng(), draws=600)
    )


def test_nearly_equal_by_hand() -> None:
    # 2 gained and 1 lost of 48 cases: 0.5 more on either side and 2 cases more in all.
    differences = np.array([1.0, 1.0, -1.0] + [0.0] * 45)
    found = nearly_equal(differences)
    half = 1.959964 * math.sqrt(4 - 1 / 50) / 50
    assert (found.change, found.low, found.high) == pytest.approx(
        (1 / 48, 1 / 50 - half, 1 / 50 + half), rel=1e-5
    )
    nothing = nearly_equal(np.zeros(98))
    assert (nothing.change, nothing.low, nothing.high) == pytest.approx((0, -0.0196, 0.0196), abs=1e-4)
    assert nothing.p_value == 1


def test_one_case_has_no_interval_and_none_has_no_mean() -> None:
    one, none = compare_means(np.array([[2.0, np.nan]]), rng(), draws=20)
    assert (one.change, one.low, one.p_value) == (2.0, None, None)
    assert math.isnan(none.change)
    empty = compare_means(np.empty((0, 1)), rng(), draws=20)[0]
    assert math.isnan(empty.change)
    assert share_interval(np.array([0.5, np.nan])).low is None
    assert math.isnan(share_interval(np.empty(0)).estimate)


def test_a_share_of_nothing_has_an_interval_with_length() -> None:
    found = share_interval(np.zeros(30))
    assert found.low == 0
    assert found.high is not None
    assert 0.08 < found.high < 0.15


def shown(cases_: int, own: np.random.Generator) -> Any:
    """Five answers a case from 300 items, the first ones often. Cases differ in what they are answered."""
    start = own.integers(0, 250, cases_)[:, None] * own.integers(0, 2, cases_)[:, None]
    return (start + np.array([0, 1, 5, 9, 20])).astype(np.int32)


@pytest.mark.parametrize("figure", [coverage, gini])
def test_intervals_of_the_whole_cover_its_mean(figure: Callable[..., Whole]) -> None:
    """Of coverage the true value is the mean over many sets of as many cases."""
    own, asked = rng(11), cases([[]] * 120)
    wholes = [figure(shown(120, own), asked, 300) for _ in range(400)]
    truth = float(np.mean([whole.value for whole in wholes]))
    found = [whole_interval(whole) for whole in wholes]
    inside = np.mean([i.low <= truth <= i.high for i in found if i.low is not None and i.high is not None])
    assert 0.92 <= inside <= 0.999


def test_the_bootstrap_of_coverage_would_miss_it() -> None:
    """Why the jackknife: each resample shows fewer items than the cases themselves."""
    own, asked = rng(12), cases([[]] * 120)
    answers = shown(120, own)
    value = coverage(answers, asked, 300).value
    drawn = [coverage(answers[own.integers(0, 120, 120)], asked, 300).value for _ in range(200)]
    assert max(drawn) < value


def test_differences_of_the_whole_are_paired() -> None:
    own, asked = rng(13), cases([[]] * 120)
    first = coverage(shown(120, own), asked, 300)
    same = compare_wholes(first, first)
    assert (same.change, same.low, same.high, same.p_value) == (0, 0, 0, 1)
    second = Whole(first.value + 0.1, first.added + 0.1 / 120)
    shifted = compare_wholes(first, second)
    assert (shifted.low, shifted.high) == pytest.approx((0.1, 0.1))
    assert whole_interval(Whole(0.5, np.zeros(1))).low is None
    assert compare_wholes(Whole(0.5, np.zeros(1)), Whole(0.7, np.zeros(1))).low is None
