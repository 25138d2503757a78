from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from models.data.interactions import ItemLists
from models.evaluation.approximate import hits_lost, loss
from models.evaluation.neighbours import inverse_ratio, judged, recall_against_exact
from tests.unit.models.evaluation.made_up import neighbours as at


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_an_item_that_the_filter_bars_counts_for_nothing() -> None:
    """Items 0 and 2 are barred. An engine that answers them has a target that exact search could not."""
    exact = at([[1, 3, 4]])
    targets = ItemLists.of([[0]])
    honest, leaking = at([[1, 3, 5]]), at([[0, 1, 3]])
    found = judged(exact, leaking)
    assert found.impossible == 1
    assert found.answers.items.tolist() == [[1, 3, -1]]
    assert recall_against_exact(exact, found)[0] == pytest.approx(2 / 3)
    assert loss(exact, leaking, targets, rng()).engine_hits == 0
    assert loss(exact, honest, targets, rng()).impossible == 0


def test_a_case_without_an_exact_answer_has_no_figure() -> None:
    exact, engine = at([[], [0, 1]]), at([[3], [0, 1]])
    found = judged(exact, engine)
    assert found.impossible == 1
    assert recall_against_exact(exact, found).tolist() == pytest.approx([math.nan, 1], nan_ok=True)
    assert inverse_ratio(exact, found).tolist() == pytest.approx([math.nan, 1], nan_ok=True)
    whole = loss(exact, engine, ItemLists.of([[3], [1]]), rng())
    assert (whole.unanswerable, whole.exact_hits, whole.engine_hits) == (1, 1, 1)


def test_loss_by_hand() -> None:
    exact, engine = at([[0, 1], [0, 1], [2, 3]]), at([[0, 7], [1, 7], [3, 5]])
    whole = loss(exact, engine, ItemLists.of([[0, 1], [0], [5]]), rng())
    assert (whole.exact_hits, whole.engine_hits, whole.lost, whole.gained) == (3, 2, 2, 1)
    assert whole.hits_lost.change == pytest.approx(1 / 3)
    assert whole.recall.estimate == pytest.approx(1 / 2)
    assert (whole.k, whole.cases, whole.targets) == (2, 3, 4)
    plain = json.loads(json.dumps(whole.to_json(), allow_nan=False))
    assert plain["hits_lost"]["change"] == whole.hits_lost.change
    nobody = loss(exact, engine, ItemLists.of([[], [], []]), rng()).to_json()
    assert nobody["hits_lost"]["change"] is None


def planted(cases: int, own: np.random.Generator, found: float, lost: float, gained: float) -> Any:
    """Hits of exact search with chance `found`; the engine loses of them `lost`, and gains `gained` of the others."""
    by_exact = own.random(cases) < found
    by_engine = np.where(by_exact, own.random(cases) >= lost, own.random(cases) < gained)
    return by_exact, by_engine


@pytest.mark.parametrize(("cases", "lost", "least"), [(500, 0.3, 0.91), (1500, 0.02, 0.93)])
def test_intervals_of_the_loss_cover_it(cases: int, lost: float, least: float) -> None:
    """Above 30 differences by the bootstrap, below by Agresti and Min; the case of 2 % is below."""
    own = np.random.default_rng(7)
    truth = lost - 0.01 * 0.7 / 0.3
    one_each = ItemLists.of([[0]] * cases)
    inside = []
    for _ in range(300):
        found = hits_lost(*planted(cases, own, 0.3, lost, 0.01), one_each, own, draws=150)
        assert found.low is not None
        assert found.high is not None
        inside.append(found.low <= truth <= found.high)
    assert least <= np.mean(inside) <= 0.995


def test_pairing_narrows_the_interval() -> None:
    own = np.random.default_rng(8)
    by_exact, by_engine = planted(2000, own, 0.3, 0.1, 0.02)
    one_each = ItemLists.of([[0]] * 2000)
    paired = hits_lost(by_exact, by_engine, one_each, own)
    unpaired = hits_lost(by_exact, own.permutation(by_engine), one_each, own)
    assert paired.change == pytest.approx(unpaired.change)
    lengths = [c.high - c.low for c in (paired, unpaired) if c.high is not None and c.low is not None]
    assert lengths[0] < 0.6 * lengths[1]


def test_no_loss_seen_is_not_no_loss() -> None:
    by_exact = np.arange(400) < 100
    same = hits_lost(by_exact, by_exact, ItemLists.of([[0]] * 400), rng())
    assert same.change == 0
    assert same.low == pytest.approx(-1.96 / 102, abs=1e-4)
    assert same.high == pytest.approx(1.96 / 102, abs=1e-4)


@pytest.mark.parametrize("hits", [0, 1])
def test_too_few_hits_have_no_interval(hits: int) -> None:
    by_exact = np.arange(5) < hits
    found = hits_lost(by_exact, np.zeros(5, np.bool_), ItemLists.of([[0]] * 5), rng())
    assert found.change == pytest.approx(1.0 if hits else math.nan, nan_ok=True)
    assert (found.low, found.high) == (None, None)
