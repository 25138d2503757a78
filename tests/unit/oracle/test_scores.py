"""Scores and the order of hits: what is wrong is named, what float32 rounds is not."""

import numpy as np
import pytest

from harness.oracle.exact import pair_distances
from harness.oracle.scoring import judge_hits
from tests.unit.oracle.cases import METRICS, Case, window


def scores_of(case, ids):
    """What an engine that computes in float64 gives for its hits, as `Hits` documents it."""
    distance = pair_distances(case.vectors, case.workload.queries, ids, np.arange(len(ids)), case.metric)
    return {"l2": distance, "ip": -distance, "cosine": 1 - distance}[case.metric]


def scored(case, *, scores=None, ids=None, exact_scores=True):
    ids = case.truth.ids if ids is None else ids
    return judge_hits(
        window(np.arange(20), ids, scores=scores_of(case, ids) if scores is None else scores),
        case.workload, case.truth, vectors=case.vectors, columns={}, metric=case.metric, exact_scores=exact_scores,
    )  # fmt: skip


@pytest.mark.parametrize("size", [1e-3, 1.0, 300.0])
@pytest.mark.parametrize("metric", METRICS)
def test_right_scores_are_right_also_in_float32(metric, size):
    vectors = (size * np.random.default_rng(1).standard_normal((400, 64))).astype(np.float32)
    case = Case(metric=metric, vectors=vectors, dim=64)
    for scores in (None, scores_of(case, case.truth.ids).astype(np.float32).astype(np.float64)):
        result = scored(case, scores=scores)
        assert not result.wrong_scores.any()
        assert not result.unordered.any()


@pytest.mark.parametrize("metric", METRICS)
def test_scores_that_are_wrong_missing_or_no_numbers_are_named(metric):
    case = Case(metric=metric)
    right = scores_of(case, case.truth.ids)
    for place, value in ((0, -7.0), (9, np.nan), (3, np.inf), (5, right[5, 4] * 1.01 + 0.01)):
        scores = right.copy()
        scores[5, place] = value
        assert np.flatnonzero(scored(case, scores=scores).wrong_scores).tolist() == [5]
    of_others = right[::-1].copy()  # every answer has the scores of another query's
    assert scored(case, scores=of_others).wrong_scores.all()


@pytest.mark.parametrize("metric", METRICS)
def test_hits_that_are_not_best_first_are_named_and_ties_are_not(metric):
    case = Case(metric=metric)
    ids = case.truth.ids.copy()
    ids[7] = ids[7, ::-1]
    result = scored(case, ids=ids)
    assert np.flatnonzero(result.unordered).tolist() == [7]
    assert not result.wrong_scores.any()
    assert (result.recall == 1.0).all()
    twins = Case(metric=metric, vectors=np.repeat(case.vectors[:50], 4, axis=0))
    assert not scored(twins).unordered.any()


def test_scores_of_compressed_vectors_only_have_to_be_there_and_in_order():
    case = Case()
    rough = np.floor(scores_of(case, case.truth.ids))
    assert scored(case, scores=rough).wrong_scores.any()
    rough[2, 1] = np.nan
    result = scored(case, scores=rough, exact_scores=False)
    assert np.flatnonzero(result.wrong_scores).tolist() == [2]
