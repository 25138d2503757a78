from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from models.data.split import Cases
from models.evaluation.figures import case_figures, coverage, gini, whole_figures
from models.evaluation.popularity import Popularity
from tests.unit.models.evaluation.made_up import ITEMS, answers, cases, sound

POPULARITY = Popularity.of(np.array([9, 7, 5, 5, 3, 2, 2, 1, 1, 1, 0, 0]), 15)


def test_figures_by_hand() -> None:
    asked = cases([[3], [8, 0, 1], [5], []])
    shown = answers([[1, 3, 2], [0, 8], [], [4]])
    figures = case_figures(shown, asked, POPULARITY, [1, 3])
    nan = math.nan
    assert figures["recall_at_1"].tolist() == pytest.approx([0, 1 / 3, 0, nan], nan_ok=True)
    assert figures["recall_at_3"].tolist() == pytest.approx([1, 2 / 3, 0, nan], nan_ok=True)
    assert figures["hit_at_3"].tolist() == pytest.approx([1, 1, 0, nan], nan_ok=True)
    second, third = 1 / math.log2(3), 1 / 2
    expected = [second, (1 + second) / (1 + second + third), 0, nan]
    assert figures["ndcg_at_3"].tolist() == pytest.approx(expected, nan_ok=True)
    # Bits: 16 users with the imaginary one; items 1, 2 and 3 were taken by 8, 6 and 6 of them.
    novelties = [(1 + 2 * math.log2(16 / 6)) / 3, (math.log2(1.6) + 3) / 2, nan, 2]
    assert figures["novelty_at_3"].tolist() == pytest.approx(novelties, nan_ok=True)
    # Percentiles times 12: items 0 to 3 have 11.5, 10.5, 9, 9 and item 8 has 3.5.
    biases = [(10.5 / 12 + 9 / 6) / 3 - 9 / 12, (11.5 + 3.5) / 24 - (3.5 + 11.5 + 10.5) / 36, nan, nan]
    assert figures["popularity_bias_at_3"].tolist() == pytest.approx(biases, nan_ok=True)


def test_an_item_answered_twice_counts_once() -> None:
    """Else a recommender that repeats what is sure would gain by it."""
    asked = cases([[3, 4]])
    once, twice = answers([[3, -1, -1]]), answers([[3, 3, 3]])
    for figure, value in case_figures(twice, asked, POPULARITY, [3]).items():
        assert value.tolist() == case_figures(once, asked, POPULARITY, [3])[figure].tolist()
    for figure, whole in whole_figures(twice, asked, ITEMS, [3]).items():
        assert whole.value == whole_figures(once, asked, ITEMS, [3])[figure].value


def naive(shown: list[int], targets: list[int], k: int) -> tuple[float, float, float]:
    """Recall, NDCG and hit of one case, word by word."""
    if not targets:
        return math.nan, math.nan, math.nan
    hits = [item for item in shown[:k] if item in targets]
    gain = sum(1 / math.log2(place + 2) for place, item in enumerate(shown[:k]) if item in targets)
    ideal = sum(1 / math.log2(place + 2) for place in range(min(k, len(targets))))
    return len(hits) / len(targets), gain / ideal, float(bool(hits))


@settings(deadline=None, max_examples=60)
@given(sound())
def test_figures_agree_with_naive_ones(made: tuple[Cases, Any]) -> None:
    asked, shown = made
    percentiles, information = POPULARITY.percentiles, POPULARITY.information
    for k in (1, 3, 5):
        figures = case_figures(shown, asked, POPULARITY, [k])
        for row in range(len(asked)):
            own = [item for item in shown[row].tolist() if item >= 0]
            targets = asked.targets[row].tolist()
            found = [figures[f"{name}_at_{k}"][row] for name in ("recall", "ndcg", "hit")]
            assert found == pytest.approx(naive(own, targets, k), nan_ok=True)
            novelty = np.mean(information[own[:k]]) if own else math.nan
            assert figures[f"novelty_at_{k}"][row] == pytest.approx(novelty, nan_ok=True)
            bias = (
                np.mean(percentiles[own[:k]]) - np.mean(percentiles[targets]) if own and targets else math.nan
            )
            assert figures[f"popularity_bias_at_{k}"][row] == pytest.approx(bias, nan_ok=True)


def test_coverage_and_gini_by_hand() -> None:
    shown = answers([[0, 1], [0, 2], [0, -1]])
    asked = cases([[5], [5], [5]])
    covered = coverage(shown, asked, 4)
    assert covered.value == 3 / 4
    assert covered.added.tolist() == [1 / 4, 1 / 4, 0]  # items 1 and 2 are answered to one case each
    # Counts 0, 1, 1, 3: Gini = (-3 * 0 - 1 * 1 + 1 * 1 + 3 * 3) / (4 * 5).
    assert gini(shown, asked, 4).value == pytest.approx(9 / 20)
    some = cases([[5], [5], [5]], candidates=[True, True, True, False])
    assert coverage(shown, some, 4).value == 1
    assert gini(answers([[0], [1]]), cases([[3], [3]], candidates=[True, True, False, False]), 4).value == 0
    assert gini(answers([[0], [0]]), cases([[3], [3]]), 100).value == pytest.approx(0.99)


def test_what_nobody_is_answered_has_no_gini() -> None:
    nothing = answers([[-1], [-1]])
    assert math.isnan(gini(nothing, cases([[1], [2]]), 4).value)
    assert coverage(nothing, cases([[1], [2]]), 4).value == 0


@settings(deadline=None, max_examples=60)
@given(sound())
def test_what_a_case_adds_to_coverage_is_what_goes_without_it(made: tuple[Cases, Any]) -> None:
    _, shown = made
    asked = cases([[]] * len(shown))
    covered = coverage(shown, asked, ITEMS)
    for row in range(len(shown)):
        rest = np.delete(shown, row, axis=0)
        without = coverage(rest, cases([[]] * len(rest)), ITEMS).value
        assert covered.added[row] == pytest.approx(covered.value - without)


def test_what_a_case_adds_to_gini_is_nearly_what_goes_without_it() -> None:
    rng = np.random.default_rng(0)
    chances = 1 / np.arange(1, 401)
    shown = np.stack(
        [rng.choice(400, 5, replace=False, p=chances / chances.sum()) for _ in range(300)]
    ).astype(np.int32)
    whole = gini(shown, cases([[]] * 300), 400)
    without = [gini(np.delete(shown, row, axis=0), cases([[]] * 299), 400).value for row in range(300)]
    lost = whole.value - np.array(without)
    assert np.abs(whole.added - lost).max() < 0.1 * lost.std()
    assert whole.added.std() == pytest.approx(lost.std(), rel=0.02)
