from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.baselines.ranking import best, best_of, blocks, exclude
from models.evaluation.popularity import Popularity
from tests.unit.models.evaluation.made_up import cases

POPULARITY = Popularity.of(np.array([1, 5, 5, 0, 2]), 9)  # order 1, 2, 4, 0, 3
NOT = -np.inf


def test_equal_scores_stand_by_popularity_then_row() -> None:
    scores = np.array([[0, 0, 0, 0, 0], [1, 0, 0, 1, -1], [NOT, -2, NOT, -1, NOT]], np.float32)
    assert best(scores, POPULARITY, 3).tolist() == [[1, 2, 4], [0, 3, 1], [3, 1, -1]]
    assert best(scores, POPULARITY, 7)[1].tolist() == [0, 3, 1, 2, 4, -1, -1]


def test_negative_zero_is_zero() -> None:
    scores = np.array([[0.0, -0.0, 0.0, 0.0, -0.0]], np.float32)
    assert best(scores, POPULARITY, 5).tolist() == [[1, 2, 4, 0, 3]]


def test_an_empty_catalogue_answers_nothing() -> None:
    nothing = Popularity.of(np.empty(0, np.int64), 0)
    assert best(np.empty((2, 0), np.float32), nothing, 2).tolist() == [[-1, -1], [-1, -1]]


few = st.sampled_from([-3.0, -0.5, 0.0, 0.5, 1.0, 1e-30, -1e30, 3e38, NOT])


@settings(deadline=None, max_examples=100)
@given(
    st.lists(st.tuples(few, st.integers(0, 3)), min_size=1, max_size=12),
    st.integers(1, 14),
)
def test_best_agrees_with_sorting(rows: list[tuple[float, int]], k: int) -> None:
    popularity = Popularity.of(np.array([taken for _, taken in rows]), 9)
    scores = np.array([score for score, _ in rows], np.float32)
    order = sorted(range(len(rows)), key=lambda item: (-scores[item], -rows[item][1], item))
    expected = [item for item in order if scores[item] > NOT][:k]
    assert best(scores[None], popularity, k)[0].tolist() == expected + [-1] * (k - len(expected))
    some = np.array(expected, np.int32)
    shuffled = np.random.default_rng(0).permutation(some).astype(np.int32)
    assert best_of(shuffled, scores[shuffled], popularity, k).tolist() == expected


def test_histories_and_what_is_no_candidate_are_excluded() -> None:
    scores = np.ones((2, 5), np.float32)
    exclude(scores, cases([[], []], [[1, 3], []], [True, True, True, True, False]))
    assert np.isinf(scores).tolist() == [
        [False, True, False, True, True],
        [False, False, False, False, True],
    ]


@pytest.mark.parametrize("budget", [1, 10, 1000])
def test_blocks_hold_every_case_once_within_the_budget(budget: int) -> None:
    asked = cases([[item] for item in range(5)])
    costs = np.array([3, 7, 20, 1, 1])
    found = list(blocks(asked, costs, budget))
    assert [item for _, part in found for item in part.targets.items.tolist()] == list(range(5))
    assert all(costs[rows].sum() <= budget or rows.stop - rows.start == 1 for rows, _ in found)
    assert len(found) == {1: 5, 10: 3, 1000: 1}[budget]
