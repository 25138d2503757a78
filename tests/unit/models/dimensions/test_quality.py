"""Variants judged beside the full vectors, case by case."""

from __future__ import annotations

import numpy as np
import pytest

from models.data.interactions import ItemLists
from models.data.split import Cases
from models.dimensions.enough import enough
from models.dimensions.quality import quality
from models.evaluation.cells import Plan

COUNT = 2000
PLAN = Plan((10, 5), "full", draws=300)


def cases() -> Cases:
    targets = ItemLists.of([[row] for row in range(COUNT)])
    return Cases(np.arange(COUNT, dtype=np.int32), ItemLists.of([[]] * COUNT), targets)


def places(hits: int) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    """Of the first cases the target stands at place 2, of the others nowhere."""
    return np.where(np.arange(COUNT) < hits, 2, -1).astype(np.int32)


FULL = places(1000)


def test_figures_and_losses_are_those_of_the_definitions() -> None:
    judged = quality(places(900), FULL, cases(), PLAN)
    assert [(one.figure, one.k) for one in judged.figures] == [
        ("recall", 10),
        ("ndcg", 10),
        ("recall", 5),
        ("ndcg", 5),
    ]
    recall, ndcg = judged.figures[:2]
    assert recall.value.estimate == pytest.approx(0.45)
    assert ndcg.value.estimate == pytest.approx(0.45 / 2)  # 1 / log2(2 + 2)
    assert recall.difference is not None
    assert recall.difference.change == pytest.approx(-0.05)
    assert judged.hits_lost is not None
    assert judged.hits_lost[10].change == pytest.approx(0.1)
    low, high = judged.hits_lost[10].low, judged.hits_lost[10].high
    assert low is not None
    assert high is not None
    assert 0.08 < low < 0.1 < high < 0.12


def test_the_full_vectors_are_beside_nothing() -> None:
    judged = quality(FULL, FULL, cases(), PLAN)
    assert judged.hits_lost is None
    assert all(one.difference is None for one in judged.figures)


def test_pairing_tells_more_than_the_figures_alone() -> None:
    """Nine in ten of the same users are served: their spread must not count."""
    judged = quality(places(900), FULL, cases(), PLAN).figures[0]
    assert judged.difference is not None
    assert judged.difference.high is not None
    assert judged.difference.low is not None
    assert judged.value.high is not None
    assert judged.value.low is not None
    assert judged.difference.high - judged.difference.low < 0.6 * (judged.value.high - judged.value.low)


@pytest.mark.parametrize(("hits", "expected"), [(998, 64), (900, 128)])
def test_a_dimension_that_loses_more_is_not_enough(hits: int, expected: int) -> None:
    judged = quality(places(hits), FULL, cases(), PLAN)
    assert judged.hits_lost is not None
    assert enough({128: None, 64: judged.hits_lost[10]}, 0.02) == expected


def test_the_same_each_time() -> None:
    assert quality(places(900), FULL, cases(), PLAN) == quality(places(900), FULL, cases(), PLAN)
