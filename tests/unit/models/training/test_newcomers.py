"""How popular listings without a row of the id table count is chosen by what it finds, and only where it finds more."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.data.interactions import ItemLists
from models.data.split import Cases
from models.encoding.weights import TowerWeights
from models.evaluation.figures import recall
from models.evaluation.nearest import Nearest
from models.evaluation.popularity import Popularity
from models.evaluation.recommender import places
from models.training.newcomers import TRIED, with_newcomers
from tests.unit.models.encoding.made import features, weights

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


@pytest.mark.parametrize("wanted", ["newcomers", "known"])
def test_newcomers_are_found_where_they_are_wanted_and_only_there(wanted: str) -> None:
    rows = features(200)
    new = rows.ids == 0
    nearest = Nearest.of(WEIGHTS, rows, Popularity.of(np.ones(200, np.int64), 10))
    rng = np.random.default_rng(2)
    targets = rng.choice(np.flatnonzero(new if wanted == "newcomers" else ~new), 60)
    cases = Cases(
        np.arange(60, dtype=np.int32),
        ItemLists.of([rng.choice(200, 3, replace=False) for _ in range(60)]),
        ItemLists.of([[target] for target in targets]),
        None,
    )

    def found(towers: TowerWeights) -> float:
        answers = nearest.weighed(towers, rows).recommend(cases, 40)
        return float(recall(places(answers, cases.targets), cases, 40).mean())

    popular = np.where(np.arange(len(WEIGHTS.popularity)), WEIGHTS.popularity, 0)
    held_back = replace(WEIGHTS, popularity=popular, weight=2.0)
    chosen = with_newcomers(held_back, found)
    if wanted == "known":
        assert popularity(chosen) == 0
        return
    assert popularity(chosen) > 0.5
    assert found(chosen) > found(held_back) + 0.1
    anew = Nearest.of(chosen, rows, nearest.popularity)
    assert np.array_equal(anew.recommend(cases, 40), nearest.weighed(chosen, rows).recommend(cases, 40))
