from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.evaluation.neighbours import Neighbours, inverse_ratio, judged, recall_against_exact
from tests.unit.models.evaluation.made_up import neighbours as at

EXACT = at([[0, 1, 2, 3]])


@pytest.mark.parametrize(
    ("row", "recall", "ratio"),
    [
        ([0, 1, 2, 3], 1, 1),
        ([3, 2, 1, 0], 1, 1),  # an engine's order does not matter
        ([0, 1, 2, 4], 1, 1),  # item 4 is as far as item 3
        ([0, 1, 2, 6], 3 / 4, 3.5 / 4),
        ([1, 2, 3, 5], 3 / 4, (1 / 2 + 2 / 3 + 3 / 4 + 4 / 5) / 4),
        ([1, 2, 3, 4], 3 / 4, (1 / 2 + 2 / 3 + 3 / 4 + 1) / 4),  # one place for a tie, not two
        ([0, 1], 2 / 4, 2 / 4),
        ([], 0, 0),
        ([6, 7, -1, -1], 0, (1 / 8 + 2 / 16) / 4),
    ],
)
def test_recall_and_ratio_by_hand(row: list[int], recall: float, ratio: float) -> None:
    found = judged(EXACT, at([row]))
    assert recall_against_exact(EXACT, found)[0] == pytest.approx(recall)
    assert inverse_ratio(EXACT, found)[0] == pytest.approx(ratio)
    assert (found.repeats, found.impossible) == (0, 0)
    assert found.short == (len([item for item in row if item >= 0]) < 4)


def test_an_item_that_is_repeated_counts_once() -> None:
    found = judged(EXACT, at([[0, 0, 0, 1]]))
    assert (found.repeats, found.short) == (2, 1)
    assert found.answers.items.tolist() == [[0, 1, -1, -1]]
    assert recall_against_exact(EXACT, found)[0] == 1 / 2
    assert inverse_ratio(EXACT, found)[0] == 1 / 2


def test_where_few_are_allowed_every_other_item_is_barred() -> None:
    exact, engine = at([[1, 6], [0, 1, 2]]), at([[1, 6, 7], [0, 1, 2]])
    found = judged(exact, engine)
    assert found.impossible == 1  # item 7 is far, but item 0 to 7 without 1 and 6 match nothing
    assert recall_against_exact(exact, found).tolist() == [1, 1]
    assert found.short == 0


def test_distances_of_zero() -> None:
    exact = Neighbours.of([[5, 6]], [[0.0, 0.0]])
    far = Neighbours.of([[5, 9]], [[0.0, 2.0]])
    assert inverse_ratio(exact, judged(exact, exact))[0] == 1
    assert inverse_ratio(exact, judged(exact, far))[0] == 1 / 2


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_figures_agree_with_naive_ones(seed: int) -> None:
    own = np.random.default_rng(seed)
    distances = own.integers(1, 9, size=20) / 8  # with ties
    allowed = np.flatnonzero(own.random(20) < own.random())
    k = 5
    nearest = sorted(allowed.tolist(), key=lambda item: (distances[item], item))[:k]
    shown = own.permutation(allowed)[:k].tolist()
    exact, engine = (
        Neighbours.of([row + [-1] * (k - len(row))], [[*distances[row], *[np.inf] * (k - len(row))]])
        for row in (nearest, shown)
    )
    found = judged(exact, engine)
    assert (found.repeats, found.impossible) == (0, 0)
    if not nearest:
        return
    # The best match of answers and exact places: each exact distance may be met by one answer as near.
    left = sorted(distances[shown])
    matched = sum(
        1
        for distance in sorted(set(distances[nearest]))
        for _ in range(min(left.count(distance), sorted(distances[nearest]).count(distance)))
    )
    assert recall_against_exact(exact, found)[0] == pytest.approx(matched / len(nearest))
    pairs = zip(sorted(distances[nearest]), left, strict=True)
    assert inverse_ratio(exact, found)[0] == pytest.approx(np.mean([near / far for near, far in pairs]))


@pytest.mark.parametrize(
    ("items", "distances", "message"),
    [
        ([[1, 2]], [[0.1, -0.2]], r"must be >= 0; case 0"),
        ([[1, 2]], [[0.1, math.nan]], r"must be >= 0; case 0"),
        ([[1, 2]], [[0.1]], r"\(1, 2\) and distances \(1, 1\)"),
        ([1, 2], [0.1, 0.2], r"must be one \[c, k\]"),
    ],
)
def test_what_is_no_distance_is_refused(items: Any, distances: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Neighbours.of(items, distances)
