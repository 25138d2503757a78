"""The figures of engines with one fault each, beside a correct twin: each fault must show where it is looked for."""

from __future__ import annotations

import numpy as np
import pytest

from models.evaluation.approximate import loss
from models.evaluation.figures import COVERAGE, NDCG, RECALL
from models.evaluation.neighbours import Neighbours
from models.retrieval.points import Point, exact_answers, judge_points, plain_figures
from models.retrieval.received import neighbours
from tests.unit.models.retrieval.made import K, asked, held_out, losing, no_filters, own_filters, truth

HELD = held_out()


def judged(answers: np.ndarray, *, filtered: bool = False) -> Point:
    filters = own_filters(HELD) if filtered else no_filters(HELD)
    return judge_points(HELD, filters, truth(HELD, filters), {"engine": answers}, K).points["engine"]


@pytest.mark.parametrize("filtered", [False, True])
def test_an_exact_engine_loses_nothing(filtered: bool) -> None:
    point = judged(asked(HELD, own_filters(HELD) if filtered else no_filters(HELD)), filtered=filtered)
    assert point.loss.recall.estimate == point.loss.ratio.estimate == 1.0
    assert (point.loss.hits_lost.change, point.loss.lost, point.loss.gained) == (0, 0, 0)
    assert point.loss.exact_hits == point.loss.engine_hits > 100 / (4 if filtered else 1)
    assert (point.loss.impossible, point.loss.short) == (0, 0)
    figures = plain_figures(point.cells)
    assert figures[RECALL.name]["value"] == pytest.approx(point.loss.engine_hits / 400)
    assert all(figure["difference"]["change"] == 0 for figure in figures.values())


def test_a_history_that_were_left_in_would_show() -> None:
    """The answers hold the history of nearly every user, and it is the nearest: without it they are the exact ones."""
    filters = no_filters(HELD)
    raw = asked(HELD, filters)
    exact = exact_answers(HELD, truth(HELD, filters), K)
    left_in = neighbours(raw[:, :K].astype(np.int32), HELD.dataset)
    wrong = loss(exact, left_in, HELD.cases.targets, np.random.default_rng(0))
    assert wrong.impossible == HELD.cases.histories.lengths.sum()
    assert wrong.recall.estimate < 0.9
    assert judged(raw).loss.recall.estimate == 1.0


def test_an_engine_that_answers_the_history_first_when_asked_for_it_again_is_short() -> None:
    """Every hit is of the history, over and over: nothing is left of it."""
    histories = HELD.cases.histories
    answers = np.full((400, K + 7), -1)
    for user in range(400):
        if len(histories[user]):
            answers[user] = np.resize(histories[user], K + 7)
    point = judged(answers)
    assert point.loss.engine_hits == 0
    assert point.loss.hits_lost.change == 1.0
    assert point.loss.recall.estimate == 0.0
    assert point.loss.short == 400


def test_a_forgotten_filter_shows_as_violations_and_as_loss() -> None:
    forgotten = judged(asked(HELD, no_filters(HELD)), filtered=True)
    assert forgotten.received.violations > 0.6 * 400 * K
    assert forgotten.loss.recall.estimate < 0.4
    assert forgotten.loss.short == 400
    assert forgotten.loss.gained == 0  # nothing is gained by what the filter forbids
    obeyed = judged(asked(HELD, own_filters(HELD)), filtered=True)
    assert (obeyed.received.violations, obeyed.loss.short) == (0, 0)


def test_a_loss_of_30_per_cent_is_told_as_that() -> None:
    """Hits go by chance, whether they are targets or not, so as many targets go as neighbours."""
    filters = no_filters(HELD)
    wide = judge_points(
        HELD,
        filters,
        truth(HELD, filters),
        {f"{share}": losing(asked(HELD, filters), share) for share in (0.0, 0.1, 0.3)},
        K,
    ).points
    point = wide["0.3"]
    assert point.loss.recall.estimate == pytest.approx(0.7, abs=0.02)
    assert point.loss.hits_lost.low is not None and point.loss.hits_lost.high is not None
    assert 0.15 < point.loss.hits_lost.low < 0.3 < point.loss.hits_lost.high < 0.45
    figures = plain_figures(point.cells)
    for name in (RECALL.name, NDCG.name):
        assert figures[name]["difference"]["high"] < 0
    assert [wide[name].loss.engine_hits for name in wide] == sorted(
        (each.loss.engine_hits for each in wide.values()), reverse=True
    )


def test_a_point_does_not_depend_on_the_others() -> None:
    filters = no_filters(HELD)
    answers = losing(asked(HELD, filters), 0.3)
    alone = judged(answers)
    beside = judge_points(
        HELD, filters, truth(HELD, filters), {"other": asked(HELD, filters), "engine": answers}, K
    ).points["engine"]
    assert (alone.loss, plain_figures(alone.cells)) == (beside.loss, plain_figures(beside.cells))


def test_an_engine_that_gives_everyone_the_same_has_no_coverage() -> None:
    same = np.tile(np.arange(K + 7), (400, 1))
    figures = plain_figures(judged(same).cells)
    assert figures[COVERAGE.name]["value"] < 0.1
    assert figures[COVERAGE.name]["difference"]["high"] < -0.5


def test_fewer_listings_than_k_are_all_the_exact_answers() -> None:
    few = held_out(users=30, listings=60)
    filters = own_filters(few)  # 15 listings a brand, K is 20
    exact = exact_answers(few, truth(few, filters), K)
    assert isinstance(exact, Neighbours)
    assert ((exact.items >= 0).sum(axis=1) <= 15).all()
    point = judge_points(few, filters, truth(few, filters), {"e": asked(few, filters)}, K).points["e"]
    assert (point.loss.recall.estimate, point.loss.short) == (1.0, 0)
