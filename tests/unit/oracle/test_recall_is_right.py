"""Recall of engines whose loss is known, on data whose neighbours lie close together beside their norms.

The loss is planted by rank in float64, computed here apart from the oracle: an engine that answers the true neighbours
but for some of them, with the next ones in their place. Its recall follows from the plan alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from engines.base import Batch, Metric, Schema
from engines.bruteforce.adapter import BruteForce, Params
from harness.data.queries.workload import Workload
from harness.oracle.exact import exact_neighbours
from harness.oracle.scoring import judge_hits
from harness.results.samples import Samples

K, QUERIES, ROWS = 10, 200, 3000
RIGHT_TO = 0.001
Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Data:
    vectors: npt.NDArray[np.float32]
    queries: npt.NDArray[np.float32]
    metric: Metric


def around(rng: np.random.Generator, centre: object, spread: object, metric: Metric) -> Data:
    at = np.asarray(centre, dtype=np.float64)
    return Data(
        (at + rng.standard_normal((ROWS, len(at))) * spread).astype(np.float32),
        (at + rng.standard_normal((QUERIES, len(at))) * spread).astype(np.float32),
        metric,
    )


def places(rng: np.random.Generator) -> Data:
    """Latitude and longitude within two cities on different continents, a hundred metres apart: no mean helps."""
    cities = np.array([[59.33, 18.06], [-34.60, -58.38]])
    items, asked = (cities[rng.integers(0, 2, n)] + rng.normal(0, 0.05, (n, 2)) for n in (ROWS, QUERIES))
    return Data(items.astype(np.float32), asked.astype(np.float32), "l2")


def year_beside_shares(rng: np.random.Generator) -> Data:
    def rows(n: int) -> npt.NDArray[np.float32]:
        return np.column_stack([rng.integers(1990, 2025, n), rng.random((n, 5))]).astype(np.float32)

    return Data(rows(ROWS), rows(QUERIES), "l2")


def unit_bundle(rng: np.random.Generator, metric: Metric) -> Data:
    data = around(rng, np.ones(48), 1e-4, metric)
    lengths = [np.linalg.norm(m, axis=1, keepdims=True) for m in (data.vectors, data.queries)]
    return Data(data.vectors / lengths[0], data.queries / lengths[1], metric)


DATA = {
    "a line of a tenth from 1,000 on": lambda rng: Data(
        (1000 + np.arange(ROWS)[:, None] / 10).astype(np.float32),
        (1000 + rng.random((QUERIES, 1)) * ROWS / 10).astype(np.float32),
        "l2",
    ),
    "latitude and longitude": places,
    "a year beside shares": year_beside_shares,
    "far in 96 dimensions": lambda rng: around(rng, np.full(96, 5000.0), 1.0, "l2"),
    "nearly parallel, cosine": lambda rng: around(rng, np.ones(64), 1e-4, "cosine"),
    "nearly parallel, ip": lambda rng: around(rng, np.ones(64), 1e-4, "ip"),
    "nearly parallel and of length 1, ip": lambda rng: unit_bundle(rng, "ip"),
    "nearly parallel and of length 1, cosine": lambda rng: unit_bundle(rng, "cosine"),
    "nearly parallel and of length 1, l2": lambda rng: unit_bundle(rng, "l2"),
    "ordinary": lambda rng: around(rng, np.zeros(32), 1.0, "l2"),
}


def distances(data: Data) -> Matrix:
    """float64[q, n], smaller is nearer; cosine by the difference of the unit vectors, where 1 - cos cancels."""
    x, q = data.vectors.astype(np.float64), data.queries.astype(np.float64)
    if data.metric == "ip":
        return -(q @ x.T)
    if data.metric == "cosine":
        x /= np.linalg.norm(x, axis=1, keepdims=True)
        q /= np.linalg.norm(q, axis=1, keepdims=True)
    return np.stack([np.square(x - one).sum(axis=1) for one in q])


def recall(data: Data, ids: npt.NDArray[np.int64], k: int = K) -> float:
    count = len(ids)
    zero = np.zeros(count, dtype=np.int64)
    samples = Samples(zero, zero, zero, np.arange(count), zero, zero, ids, np.full(count, ids.shape[1]))
    workload = Workload("known loss", data.queries, (None,) * count, k)
    truth = exact_neighbours(data.vectors, data.queries, k, data.metric)
    judged = judge_hits(samples, workload, truth, vectors=data.vectors, columns={}, metric=data.metric)
    return float(judged.recall.mean())


@pytest.mark.parametrize("name", DATA)
def test_recall_of_a_known_loss_is_right(name: str) -> None:
    rng = np.random.default_rng(7)
    data = DATA[name](rng)
    order = np.argsort(distances(data), axis=1, kind="stable")
    exact = order[:, :K]
    assert recall(data, exact) == 1.0  # the twin without a loss
    for lost, instead in ((1, 0), (3, 0), (1, 6), (K, 0)):
        ids = order[:, : K + lost + instead].copy()
        ids[:, K - lost : K] = order[:, K + instead : K + instead + lost]
        assert recall(data, ids[:, :K]) == pytest.approx(1 - lost / K, abs=RIGHT_TO)


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_many_ties_are_all_right_and_the_next_distance_is_not(metric: Metric) -> None:
    # Every distance occurs dozens of times: of equal vectors, of permuted ones, and (cosine) of longer ones.
    rng = np.random.default_rng(3)
    vectors = rng.integers(-1, 2, (ROWS, 6)).astype(np.float32)
    vectors[~vectors.any(axis=1)] = 1
    if metric == "cosine":
        vectors *= rng.choice([1, 3, 7], (ROWS, 1)).astype(np.float32)
    data = Data(vectors, vectors[rng.integers(0, ROWS, QUERIES)], metric)
    far = distances(data)
    kth = np.sort(far, axis=1)[:, K - 1 : K]
    near, beyond = far <= kth + 1e-9, far > kth + 1e-9
    assert near.sum(axis=1).mean() > 2 * K
    shuffled = np.stack([rng.permutation(np.flatnonzero(row))[:K] for row in near])
    assert recall(data, shuffled) == 1.0
    next_ones = np.stack([np.flatnonzero(b)[np.argmin(f[b])] for b, f in zip(beyond, far, strict=True)])
    assert recall(data, np.column_stack([shuffled[:, : K - 1], next_ones])) == pytest.approx(1 - 1 / K)


def test_seventh_instead_of_nearest_is_no_hit() -> None:
    vectors = (1000 + np.arange(100)[:, None] / 10).astype(np.float32)
    data = Data(vectors, vectors[:90:10], "l2")
    order = np.argsort(distances(data), axis=1, kind="stable")
    assert recall(data, order[:, 6:7], k=1) == 0.0
    assert recall(data, order[:, :1], k=1) == 1.0


@pytest.mark.parametrize("name", DATA)
def test_the_engine_to_compare_with_loses_nothing(name: str) -> None:
    data = DATA[name](np.random.default_rng(8))
    engine = BruteForce(Path(), Params())
    engine.create(Schema(data.vectors.shape[1], data.metric))
    engine.index(Batch(np.arange(len(data.vectors)), data.vectors))
    ids = np.stack([np.asarray(engine.query(query, K).ids) for query in data.queries])
    assert recall(data, ids) == 1.0
