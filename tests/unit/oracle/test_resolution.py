"""Whether float32 tells neighbours apart: as input and as arithmetic, for each metric."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engines.base import Metric
from engines.filters import Eq
from harness.data.dataset import Dataset
from harness.oracle.exact import exact_neighbours
from harness.oracle.resolution import Resolution, resolution_of, sampled_resolution

METRICS: tuple[Metric, ...] = ("l2", "ip", "cosine")


def resolution(vectors: Any, queries: Any, metric: Metric, k: int = 10) -> Resolution:
    vectors, queries = np.asarray(vectors, np.float32), np.asarray(queries, np.float32)
    return resolution_of(vectors, queries, exact_neighbours(vectors, queries, k, metric), metric)


def around(offset: float, spread: float, dim: int = 16) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return (offset + spread * rng.standard_normal((n, dim)) for n in (2000, 100))  # type: ignore[return-value]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 10])
def test_ordinary_data_are_told_apart(metric: Metric, k: int) -> None:
    found = resolution(*around(0, 1), metric, k)
    assert found == Resolution(0.0, 0.0, 0.0)
    assert found.notes == []


@pytest.mark.parametrize("metric", METRICS)
def test_nearly_parallel_data_are_told_apart_by_their_input_but_not_by_arithmetic(metric: Metric) -> None:
    found = resolution(*around(1, 1e-4), metric)
    assert found.input < 0.05
    assert found.arithmetic > 0.9 or metric == "ip"  # inner products with a sum of 16 still differ


@pytest.mark.parametrize("metric", METRICS)
def test_data_beyond_the_steps_of_float32_are_not_told_apart(metric: Metric) -> None:
    found = resolution(*around(1, 3e-7), metric)
    assert found.input + found.tied > 0.5
    assert "float32 cannot tell the neighbours apart" in found.notes[-1]


def test_rounding_does_move_the_neighbours_that_are_said_to_be_moved() -> None:
    # The neighbours of the data before they were rounded, held against those after it.
    moved = {}
    for offset in (0.0, 100.0, 1e5, 1e6):
        vectors, queries = around(offset, 1.0, dim=4)
        truth = exact_neighbours(vectors.astype(np.float32), queries.astype(np.float32), 10, "l2")
        order = [np.argsort(np.square(vectors - query).sum(axis=1))[:10] for query in queries]
        lost = [len(set(a.tolist()) - set(b.tolist())) > 0 for a, b in zip(order, truth.ids, strict=True)]
        moved[offset] = np.mean(lost), resolution(vectors, queries, "l2").input
    assert moved[0.0] == (0.0, 0.0)
    assert moved[100.0][0] < 0.05 and moved[100.0][1] == 0.0
    assert moved[1e6][0] > 0.4 and moved[1e6][1] > 0.4


@pytest.mark.parametrize("metric", METRICS)
def test_ties_are_told_from_what_rounding_does(metric: Metric) -> None:
    vectors = np.repeat(np.eye(4, dtype=np.float32), 20, axis=0)
    found = resolution(vectors, np.eye(4) * 2 + 1, metric)
    assert found.tied == 1.0
    assert "any of them counts as right" in found.notes[0]


@pytest.mark.parametrize("copies", [2, 20])
def test_neighbours_that_coincide_in_float32_are_noted(copies: int) -> None:
    """Rows that differ in float64 only, near 1 and, as they were before a constant was added, near 0."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((2000 // copies, 8))
    near_zero = np.repeat(centres, copies, axis=0) * 1e-4 + rng.standard_normal((2000, 8)) * 1e-10
    queries = near_zero[::20]
    assert len(np.unique((1 + near_zero), axis=0)) == len(near_zero)
    found = resolution(1 + near_zero, 1 + queries, "l2")
    assert found.tied > 0.9
    assert "equally far in float32" in found.notes[0]
    told_apart = resolution(near_zero, queries, "l2")
    assert (told_apart.tied, told_apart.input) == (0.0, 0.0)
    assert not any("equally far" in note or "cannot tell" in note for note in told_apart.notes)


def test_queries_without_a_match_are_left_out() -> None:
    vectors, queries = (np.asarray(part, np.float32) for part in around(0, 1))
    filters = [Eq("n", 9)] * len(queries)
    truth = exact_neighbours(vectors, queries, 5, "l2", filters, {"n": np.zeros(len(vectors), np.int64)})
    assert resolution_of(vectors, queries, truth, "l2") == Resolution(0.0, 0.0, 0.0)


def test_a_dataset_is_sampled_without_its_filters() -> None:
    vectors, queries = (np.asarray(part, np.float32) for part in around(300, 1))
    found = sampled_resolution(Dataset("far", "l2", vectors, queries, "f"))
    assert found.arithmetic > 0.5
    assert sampled_resolution(Dataset("few", "l2", vectors[:3], queries, "f")).tied == 0.0
