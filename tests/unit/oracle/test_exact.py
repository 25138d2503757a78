"""The oracle against a float64 reference written as plain loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from threadpoolctl import threadpool_info

from engines.columns import Keywords
from engines.filters import And, Eq, In, Not, Or, Range, matches
from harness.oracle.exact import distinct, exact_neighbours, pair_distances

METRICS = ["l2", "ip", "cosine"]


def distance(x, q, metric):
    x, q = [float(v) for v in x], [float(v) for v in q]
    if metric == "l2":
        return math.fsum((a - b) ** 2 for a, b in zip(x, q, strict=True))
    dot = math.fsum(a * b for a, b in zip(x, q, strict=True))
    if metric == "ip":
        return -dot
    scale = math.sqrt(math.fsum(a * a for a in x)) * math.sqrt(math.fsum(b * b for b in q))
    return 1 - dot / scale if scale else 1.0


def assert_exact(truth, vectors, queries, *, k, metric, masks):
    """Distances are the k smallest; ids have them, are eligible, distinct, and ties go to the lower id."""
    for q, query in enumerate(queries):
        eligible = np.flatnonzero(masks[q])
        all_distances = {i: distance(vectors[i], query, metric) for i in eligible.tolist()}
        expected = sorted(all_distances.values())[:k]
        found = truth.ids[q, : len(expected)].tolist()
        scale = max(1.0, max(map(abs, all_distances.values()), default=0))
        tiny = 1e-12 * (1.0 if metric == "l2" else scale)
        assert truth.matches[q] == len(eligible)
        assert (truth.ids[q, len(expected) :] == -1).all()
        assert np.isposinf(truth.distances[q, len(expected) :]).all()
        np.testing.assert_allclose(truth.distances[q, : len(expected)], expected, rtol=1e-12, atol=tiny)
        np.testing.assert_allclose([all_distances[i] for i in found], expected, rtol=1e-12, atol=tiny)
        assert len(set(found)) == len(found)
        pairs = list(zip(truth.distances[q].tolist(), truth.ids[q].tolist(), strict=True))[: len(found)]
        assert pairs == sorted(pairs)
        if found:
            # Equal vectors have equal distances: every lower id equal to a found one is found as well.
            for i in found:
                twins = [j for j in eligible.tolist() if j < i and (vectors[j] == vectors[i]).all()]
                assert set(twins) <= set(found)


def gaussian(rng, n, d):
    return rng.standard_normal((n, d)).astype(np.float32)


def grid(rng, n, d):
    return rng.integers(-1, 2, (n, d)).astype(np.float32)


def duplicates(rng, n, d):
    return gaussian(rng, 3, d)[rng.integers(0, 3, n)]


def identical(rng, n, d):
    return np.repeat(gaussian(rng, 1, d), n, axis=0)


def far_from_origin(rng, n, d):
    return (gaussian(rng, n, d) + np.float32(1e4)).astype(np.float32)


def two_scales(rng, n, d):
    return (gaussian(rng, n, d) * 10.0 ** rng.integers(-12, 12, (n, 1))).astype(np.float32)


def growing(rng, n, d):
    """Every block is nearer to the origin than those before: nothing that was kept early stays."""
    return (gaussian(rng, n, d) * np.linspace(100, 0, n)[:, None]).astype(np.float32)


SHAPES = [gaussian, grid, duplicates, identical, far_from_origin, two_scales, growing]


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from(SHAPES),
    metric=st.sampled_from(METRICS),
    rows=st.integers(1, 150),
    dim=st.integers(1, 24),
    k=st.integers(1, 40),
    block_bytes=st.sampled_from([1, 64, 512, 4096, 1 << 20]),
    dead=st.sampled_from([None, 0.0, 0.3, 1.0]),
)
def test_agrees_with_the_reference(*, seed, shape, metric, rows, dim, k, block_bytes, dead):
    rng = np.random.default_rng(seed)
    vectors = shape(rng, rows, dim)
    queries = vectors[rng.integers(0, rows, 8)].copy()
    queries[::2] += shape(rng, 4, dim) * np.float32(0.1)
    columns = {
        "brand": Keywords.encode([f"b{v}" for v in rng.integers(0, 5, rows)]),
        "price": rng.uniform(0, 100, rows),
    }
    choice = [
        None,
        Eq("brand", "b1"),
        Eq("brand", "nobody"),
        In("brand", ("b0", "b2")),
        Range("price", gte=20.0, lt=90.0),
        Not(Eq("brand", "b0")),
        And((Eq("brand", "b3"), Range("price", gt=50.0))),
        Or((Eq("brand", "b4"), Range("price", lte=30.0))),
    ]
    filters = [choice[i] for i in rng.integers(0, len(choice), len(queries))]
    alive = None if dead is None else rng.random(rows) >= dead
    before = vectors.copy(), queries.copy(), None if alive is None else alive.copy()
    truth = exact_neighbours(vectors, queries, k, metric, filters, columns, alive, block_bytes=block_bytes)
    masks = [matches(where, columns, rows) & (True if alive is None else alive) for where in filters]
    assert_exact(truth, vectors, queries, k=k, metric=metric, masks=masks)
    np.testing.assert_array_equal(vectors, before[0])
    np.testing.assert_array_equal(queries, before[1])
    np.testing.assert_array_equal(alive, before[2])


@pytest.mark.parametrize("metric", METRICS)
def test_ties_at_the_boundary_go_to_the_lower_ids(metric):
    vectors = np.zeros((500, 4), dtype=np.float32)
    vectors[:, 0] = 1
    vectors[[7, 450], 0], vectors[[7, 450], 1] = 2, 0  # for ip these two are nearer, else all tie
    truth = exact_neighbours(vectors, vectors[:1], 5, metric, block_bytes=256)
    nearer = {"l2": [0, 1, 2, 3, 4], "ip": [7, 450, 0, 1, 2], "cosine": [0, 1, 2, 3, 4]}
    assert truth.ids[0].tolist() == nearer[metric]


def test_tiny_differences_far_from_the_origin_are_told_apart():
    # The float32 expansion |x|^2 - 2 x.q + |q|^2 is off by thousands here; the differences are exact.
    steps = np.random.default_rng(0).permutation(400).astype(np.float32) / 64
    vectors = np.full((400, 16), 1e4, dtype=np.float32)
    vectors[:, 3] += steps
    query = np.full((1, 16), 1e4, dtype=np.float32)
    truth = exact_neighbours(vectors, query, 10, "l2", block_bytes=2048)
    np.testing.assert_array_equal(truth.distances[0], (np.arange(10) / 64) ** 2)
    np.testing.assert_array_equal(steps[truth.ids[0]], np.arange(10) / 64)


def test_images_of_whole_numbers_are_exact_to_the_last_digit():
    rng = np.random.default_rng(1)
    vectors = rng.integers(0, 256, (3000, 784))
    queries = rng.integers(0, 256, (20, 784))
    truth = exact_neighbours(
        vectors.astype(np.float32), queries.astype(np.float32), 50, "l2", block_bytes=1 << 18
    )
    for q, query in enumerate(queries):
        squared = ((vectors - query) ** 2).sum(axis=1)
        order = np.lexsort((np.arange(3000), squared))[:50]
        np.testing.assert_array_equal(truth.ids[q], order)
        np.testing.assert_array_equal(truth.distances[q], squared[order])


def test_more_queries_than_one_pass_takes():
    rng = np.random.default_rng(2)
    vectors, queries = gaussian(rng, 300, 8), gaussian(rng, 2500, 8)
    columns = {"n": rng.integers(0, 10, 300)}
    filters = [None if q % 3 else Not(Eq("n", q % 7)) for q in range(2500)]
    whole = exact_neighbours(vectors, queries, 7, "l2", filters, columns)
    for q in range(0, 2500, 83):
        mask = matches(filters[q], columns, 300)
        squared = np.where(
            mask, ((vectors.astype(float) - queries[q].astype(float)) ** 2).sum(axis=1), np.inf
        )
        np.testing.assert_array_equal(whole.ids[q], np.argsort(squared, kind="stable")[:7])


@pytest.mark.parametrize("selectivity", [0.05, 0.9])
def test_more_filters_than_are_held_at_a_time(selectivity):
    rng = np.random.default_rng(7)
    vectors, queries = gaussian(rng, 3000, 4), gaussian(rng, 600, 4)
    columns = {"x": rng.uniform(0, 1, 3000)}
    starts = np.repeat(rng.uniform(0, 1 - selectivity, 150), 4)
    filters = [Range("x", gte=a, lte=a + selectivity) for a in starts.tolist()]
    truth = exact_neighbours(vectors, queries, 3, "ip", filters, columns)
    for q in range(0, 600, 7):
        mask = matches(filters[q], columns, 3000)
        products = np.where(mask, vectors.astype(float) @ queries[q].astype(float), -np.inf)
        np.testing.assert_array_equal(truth.ids[q], np.argsort(-products, kind="stable")[:3])


def test_no_rows_and_no_queries():
    empty = exact_neighbours(np.empty((0, 3), np.float32), np.ones((2, 3), np.float32), 4, "l2")
    assert empty.ids.tolist() == [[-1] * 4] * 2
    assert empty.matches.tolist() == [0, 0]
    assert exact_neighbours(np.ones((5, 3), np.float32), np.empty((0, 3), np.float32), 4, "ip").ids.shape == (
        0,
        4,
    )


def test_zero_vectors_have_cosine_distance_one():
    vectors = np.array([[0, 0], [1, 0], [-1, 0]], dtype=np.float32)
    truth = exact_neighbours(vectors, np.array([[2, 0], [0, 0]], dtype=np.float32), 3, "cosine")
    assert truth.ids.tolist() == [[1, 0, 2], [0, 1, 2]]
    assert truth.distances.tolist() == [[0, 1, 2], [1, 1, 1]]


def test_vectors_too_long_for_float32_products_are_refused():
    vectors = np.full((3, 2), 1e30, dtype=np.float32)
    with pytest.raises(ValueError, match="divide"):
        exact_neighbours(vectors, np.ones((1, 2), np.float32), 1, "l2")


def test_reads_a_mapped_file(tmp_path):
    rng = np.random.default_rng(3)
    vectors = gaussian(rng, 1000, 16)
    np.save(tmp_path / "v.npy", vectors)
    mapped = np.load(tmp_path / "v.npy", mmap_mode="r")
    a = exact_neighbours(mapped, vectors[:5], 10, "cosine", block_bytes=4096)
    b = exact_neighbours(vectors, vectors[:5], 10, "cosine")
    np.testing.assert_array_equal(a.ids, b.ids)
    np.testing.assert_array_equal(a.distances, b.distances)


def test_a_missing_column_is_a_key_error():
    with pytest.raises(KeyError, match="brand"):
        exact_neighbours(
            np.ones((2, 2), np.float32), np.ones((1, 2), np.float32), 1, "l2", [Eq("brand", "x")], {}
        )


def test_progress_rises_to_the_number_of_queries():
    seen = []
    rng = np.random.default_rng(4)
    columns = {"n": np.arange(3000) % 40}
    filters = [None if q % 2 else Eq("n", q % 40) for q in range(1200)]
    exact_neighbours(
        gaussian(rng, 3000, 4),
        gaussian(rng, 1200, 4),
        2,
        "ip",
        filters,
        columns,
        progress=lambda *a: seen.append(a),
    )
    done = [report[1] for report in seen]
    assert done == sorted(done)
    assert min(done) < 1200
    assert seen[-1] == ("exact neighbours", 1200, 1200)


def blas_threads():
    return [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]


def test_a_failure_in_a_thread_is_raised_and_the_blas_threads_are_restored():
    before = blas_threads()
    vectors = np.ones((2000, 8), np.float32)
    vectors[1999] = 1e30
    with pytest.raises(ValueError, match="divide"):
        exact_neighbours(vectors, np.ones((3000, 8), np.float32), 1, "ip", block_bytes=1024)
    assert blas_threads() == before


def test_one_blas_thread_while_searching_and_all_of_them_after():
    during = []
    before = blas_threads()
    vectors = np.ones((2000, 8), np.float32)
    exact_neighbours(vectors, vectors, 1, "ip", progress=lambda *_: during.append(blas_threads()))
    assert before
    assert during[0] == [1] * len(before)
    assert blas_threads() == before


def test_equal_filters_of_different_meaning_are_told_apart():
    filters = [Eq("x", 1), Eq("x", True), Eq("x", 1), None]
    different, numbers = distinct(filters)
    assert different[:2] == [Eq("x", 1), Eq("x", True)]
    assert [type(where.value) for where in different[:2]] == [int, bool]
    assert numbers.tolist() == [0, 1, 0, 2]


@pytest.mark.parametrize("metric", METRICS)
def test_pair_distances(metric):
    rng = np.random.default_rng(5)
    vectors, queries = gaussian(rng, 40, 6), gaussian(rng, 3, 6)
    ids = np.array([[0, 39, -1], [5, 40, 5], [7, 2**40, -7]])
    query = np.array([2, 0, 1])
    found = pair_distances(vectors, queries, ids, query, metric, block_bytes=48)
    assert np.isposinf(found[[0, 1, 2, 2], [2, 1, 1, 2]]).all()
    for i, j in ((0, 0), (0, 1), (1, 0), (1, 2), (2, 0)):
        assert found[i, j] == pytest.approx(
            distance(vectors[ids[i, j]], queries[query[i]], metric), rel=1e-12
        )
    np.testing.assert_array_equal(pair_distances(vectors, queries, ids[:, 0], query, metric), found[:, 0])


@pytest.mark.parametrize("metric", METRICS)
def test_pair_distances_are_those_of_the_truth_to_the_last_bit(metric):
    rng = np.random.default_rng(6)
    vectors, queries = gaussian(rng, 400, 33), gaussian(rng, 9, 33)
    truth = exact_neighbours(vectors, queries, 20, metric)
    again = pair_distances(vectors, queries, truth.ids, np.arange(9), metric)
    np.testing.assert_array_equal(again, truth.distances)
