"""Answers held against the truth: what must count, and what must not."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.filters import Eq, Range, matches
from harness.data.queries.workload import Workload
from harness.oracle.exact import exact_neighbours
from harness.oracle.scoring import judge_hits
from harness.results.samples import ERROR, OK
from tests.unit.oracle.cases import METRICS, Case, window


@pytest.mark.parametrize("metric", METRICS)
def test_the_truth_itself_scores_one(metric):
    filters = [None, Eq("brand", "b1"), Eq("brand", "nobody"), Range("price", lt=0.01)] * 5
    case = Case(metric=metric, filters=filters, k=30)
    result = case.judge(np.arange(20), case.truth.ids)
    np.testing.assert_array_equal(result.recall, 1.0)
    assert not (
        result.violations.any() or result.ghosts.any() or result.duplicates.any() or result.short.any()
    )


@pytest.mark.parametrize("metric", METRICS)
def test_the_next_neighbour_is_a_miss(metric):
    case = Case(metric=metric)
    further = exact_neighbours(case.vectors, case.workload.queries, 11, metric).ids
    ids = np.concatenate([further[:, :9], further[:, 10:]], axis=1)
    np.testing.assert_array_equal(case.judge(np.arange(20), ids).recall, 0.9)


@pytest.mark.parametrize("metric", METRICS)
def test_any_of_the_tied_items_is_a_hit(metric):
    vectors = np.random.default_rng(0).standard_normal((60, 5)).astype(np.float32)
    vectors = np.concatenate([vectors] * 3)  # every item three times: the boundary of k cuts through twins
    case = Case(metric=metric, vectors=vectors, rows=180, k=10)
    assert (case.truth.ids[:, 9] < 60).all()
    twins = case.truth.ids.copy()
    twins[:, 9] += 120
    np.testing.assert_array_equal(case.judge(np.arange(20), twins).recall, 1.0)


def test_a_violation_near_the_query_is_counted_and_never_correct():
    case = Case(filters=[Eq("brand", "b3")] * 20)
    unfiltered = exact_neighbours(case.vectors, case.workload.queries, 10, "l2").ids
    result = case.judge(np.arange(20), unfiltered)
    for q in range(20):
        allowed = [case.columns["brand"].decode()[i] == "b3" for i in unfiltered[q].tolist()]
        assert result.violations[q] == 10 - sum(allowed)
        assert result.recall[q] == sum(i in case.truth.ids[q] for i in unfiltered[q].tolist()) / 10


def test_a_leak_where_nothing_matches_is_visible():
    case = Case(filters=[Eq("brand", "nobody")] * 20)
    empty = case.judge([0], [[-1] * 10])
    leak = case.judge([0], [[3] + [-1] * 9])
    assert (empty.recall[0], empty.violations[0]) == (1.0, 0)
    assert (leak.recall[0], leak.violations[0]) == (0.0, 1)


def test_deleted_items_are_ghosts_and_what_never_existed_is_unknown():
    alive = np.ones(400, dtype=np.bool_)
    full = Case()
    alive[full.truth.ids[0, :3]] = False
    case = Case(alive=alive)
    ids = full.truth.ids[0].copy()
    ids[9] = 400
    result = case.judge([0], [ids])
    assert (result.ghosts[0], result.unknown[0]) == (3, 1)
    assert result.violations[0] == 0
    assert result.recall[0] == 0.6


def test_filters_are_judged_by_the_attributes_as_last_written():
    case = Case(filters=[Eq("brand", "b3")] * 20)
    item = case.truth.ids[0, 0]
    case.columns["brand"].codes[item] = 0
    result = case.judge([0], case.truth.ids[:1])
    assert (result.violations[0], result.recall[0]) == (1, 0.9)


def test_equal_filters_of_different_meaning_are_judged_apart():
    case = Case(filters=[None] * 20)
    flags = np.arange(400) % 2 == 0
    columns = {"flag": flags}
    filters = (Eq("flag", True), Eq("flag", 1), *[None] * 18)
    truth = exact_neighbours(case.vectors, case.workload.queries, 10, "l2", filters, columns)
    workload = Workload("flags", case.workload.queries, filters, 10)
    result = judge_hits(
        window([0, 1], truth.ids[[0, 0]]), workload, truth, vectors=case.vectors, columns=columns, metric="l2"
    )
    assert result.violations.tolist() == [0, 10]  # a number equals no boolean


def test_each_request_is_judged_not_the_best_of_a_query():
    case = Case()
    good, bad = case.truth.ids[0], np.full(10, -1)
    result = case.judge([0, 0, 0], [good, bad, good], status=[OK, OK, ERROR])
    assert result.recall[:2].tolist() == [1.0, 0.0]
    assert np.isnan(result.recall[2])
    assert result.short.tolist() == [False, True, False]


def test_k_of_the_workload_below_that_of_the_truth():
    case = Case(k=10)
    workload = Workload("few", case.workload.queries, case.workload.filters, 4)
    ids = case.truth.ids[:, [0, 1, 2, 5]]
    result = judge_hits(
        window(np.arange(20), ids), workload, case.truth, vectors=case.vectors, columns={}, metric="l2"
    )
    np.testing.assert_array_equal(result.recall, 0.75)


def test_no_requests():
    result = Case().judge(np.zeros(0, dtype=np.int64), np.zeros((0, 10), dtype=np.int64))
    assert len(result.recall) == 0


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(METRICS))
def test_agrees_with_plain_loops(seed, metric):
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(5, 60))
    choice = [None, Eq("brand", "b1"), Eq("brand", "nobody"), Range("price", gt=0.3)]
    filters = [choice[i] for i in rng.integers(0, 4, 6)]
    vectors = rng.integers(-2, 3, (rows, 3)).astype(np.float32)  # many exact ties
    alive = rng.random(rows) < 0.8
    case = Case(
        metric=metric, rows=rows, vectors=vectors, filters=filters, queries=6, k=8, seed=seed, alive=alive
    )
    query = rng.integers(0, 6, 25)
    ids = rng.integers(-1, rows + 2, (25, 8))
    lengths = rng.integers(0, 9, 25)
    result = case.judge(query, ids, lengths=lengths)
    for i, q in enumerate(query.tolist()):
        mask = matches(filters[q], case.columns, rows) & alive
        x, y = vectors.astype(float), case.workload.queries[q].astype(float)
        if metric == "l2":
            far = ((x - y) ** 2).sum(axis=1)
        else:
            far = -(x @ y)
            if metric == "cosine":
                norms = np.linalg.norm(x, axis=1) * np.linalg.norm(y)
                far = 1 + np.divide(far, norms, out=np.zeros(rows), where=norms > 0)
        wanted = min(8, int(mask.sum()))
        kth = np.sort(far[mask])[wanted - 1] if wanted else -np.inf
        items = set(ids[i, : lengths[i]].tolist())
        inside = {j for j in items if 0 <= j < rows and alive[j]}
        good = sum(bool(mask[j]) and far[j] <= kth + 1e-5 for j in inside)
        never = {j for j in items if not 0 <= j < rows}
        assert result.unknown[i] == len(never)
        assert result.ghosts[i] == len(items - inside - never)
        assert result.violations[i] == sum(not mask[j] for j in inside)
        assert result.recall[i] == (min(good, wanted) / wanted if wanted else float(lengths[i] == 0))


def float32_expansion(vectors, queries, k):
    """An engine that searches exactly but expands the square, in float32."""
    squares = np.einsum("ij,ij->i", vectors, vectors)
    scores = squares - 2 * (queries @ vectors.T) + np.einsum("ij,ij->i", queries, queries)[:, None]
    return np.argsort(scores, axis=1, kind="stable")[:, :k].astype(np.int64)


def float32_one_by_one(vectors, queries, k):
    """An engine that adds the squared differences in float32, one after another: the worst order."""
    ids = []
    for query in queries:
        total = np.zeros(len(vectors), dtype=np.float32)
        for x, q in zip(vectors.T, query, strict=True):
            total += (x - q) ** 2
        ids.append(np.argsort(total, kind="stable")[:k])
    return np.array(ids)


ORDINARY = [
    (784, lambda rng, shape: rng.integers(0, 256, shape)),
    (128, lambda rng, shape: rng.standard_normal(shape) + 3),
    (384, lambda rng, shape: rng.standard_normal(shape) / 20),
]
FAR = [(32, lambda rng, shape: rng.standard_normal(shape) + 300)]


@pytest.mark.parametrize("engine", [float32_expansion, float32_one_by_one])
@pytest.mark.parametrize(("dim", "make"), ORDINARY)
def test_rounding_inside_an_exact_float32_engine_costs_nothing_on_ordinary_data(engine, dim, make):
    rng = np.random.default_rng(dim)
    vectors = make(rng, (4000, dim)).astype(np.float32)
    case = Case(vectors=vectors, rows=4000, k=50, queries=40)
    ids = engine(vectors, case.workload.queries, 50)
    np.testing.assert_array_equal(case.judge(np.arange(40), ids).recall, 1.0)


@pytest.mark.parametrize(("dim", "make"), FAR)
def test_what_float32_loses_far_from_the_origin_is_a_loss_but_no_wrong_distance(dim, make):
    rng = np.random.default_rng(dim)
    vectors = make(rng, (4000, dim)).astype(np.float32)
    case = Case(vectors=vectors, rows=4000, k=50, queries=40)
    expanded = float32_expansion(vectors, case.workload.queries, 50)
    assert case.judge(np.arange(40), expanded).recall.mean() < 0.97
    np.testing.assert_array_equal(case.judge(np.arange(40), expanded, forgive_float32=True).recall, 1.0)
    by_differences = float32_one_by_one(vectors, case.workload.queries, 50)
    np.testing.assert_array_equal(case.judge(np.arange(40), by_differences).recall, 1.0)


@pytest.mark.parametrize("metric", METRICS)
def test_the_allowance_for_float32_does_not_forgive_a_wrong_distance(metric):
    case = Case(metric=metric, k=20)
    other = {"l2": "ip", "ip": "l2", "cosine": "l2"}[metric]
    wrong = exact_neighbours(case.vectors, case.workload.queries, 20, other).ids
    assert case.judge(np.arange(20), wrong, forgive_float32=True).recall.mean() < 0.95


def test_only_the_kept_answers_are_judged():
    case = Case()
    everything = window(np.arange(20), case.truth.ids)
    rows = np.array([3, 4, 11])
    some = replace(everything, rows=rows, ids=case.truth.ids[rows])
    result = judge_hits(some, case.workload, case.truth, vectors=case.vectors, columns={}, metric="l2")
    assert result.recall.tolist() == [1.0, 1.0, 1.0]
    shifted = replace(some, ids=case.truth.ids[rows + 1])  # answers of other queries
    result = judge_hits(shifted, case.workload, case.truth, vectors=case.vectors, columns={}, metric="l2")
    assert (result.recall < 0.5).all()
