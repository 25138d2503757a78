"""How popular listings without a row of the id table count is chosen by what it finds, and only where it finds more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.encoding.weights import TowerWeights
from models.training.newcomers import TRIED, with_newcomers
from tests.unit.models.encoding.made import weights

WEIGHTS = replace(weights(), weight=0.2)


def popularity(towers: TowerWeights) -> float:
    return round(float(towers.popularity[0]), 6)


@pytest.mark.parametrize("best", [0.0, 0.3, 1.0])
def test_the_best_of_those_tried_is_kept_and_all_else_as_it_was(best: float) -> None:
    found = with_newcomers(WEIGHTS, lambda towers: -abs(popularity(towers) - best))
    assert popularity(found) == best
    assert np.array_equal(found.popularity[1:], WEIGHTS.popularity[1:])
    assert found.listing is WEIGHTS.listing and found.user is WEIGHTS.user


def test_nothing_is_put_forward_that_finds_no_more() -> None:
    assert popularity(with_newcomers(WEIGHTS, lambda _: 0.5)) == 0
    assert popularity(with_newcomers(WEIGHTS, lambda towers: min(popularity(towers), 0.4))) == 0.4


def test_every_value_is_asked_for_once() -> None:
    asked: list[float] = []
    with_newcomers(WEIGHTS, lambda towers: asked.append(popularity(towers)) or 0.0)  # type: ignore[func-returns-value]
    assert asked == [round(share, 6) for share in TRIED]


def test_where_popularity_does_not_count_nothing_is_asked() -> None:
    unweighted = replace(WEIGHTS, weight=0.0)
    assert with_newcomers(unweighted, lambda _: pytest.fail("asked")) is unweighted
