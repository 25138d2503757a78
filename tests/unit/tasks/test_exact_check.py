"""The check of an engine's exact mode: rounding is forgiven, a wrong metric, filter or item is not."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Batch, Hits
from engines.bruteforce.adapter import BruteForce
from harness.results.result import Measurement
from tests.unit.tasks.benches import bench_of, measure

ROWS = 1500


class Expanded(BruteForce):
    """Exact but for float32: expands the square, and orders by what comes of it."""

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        rows = (
            np.arange(len(self._vectors.view)) if where is None else np.flatnonzero(self._store.select(where))
        )
        near = self._vectors.view[rows]
        scores = np.vecdot(near, near) - 2 * (near @ vector) + np.vecdot(vector, vector)
        best = np.argsort(scores, kind="stable")[:k]
        return Hits(self._store.ids[rows[best]], scores[best])


class InnerProduct(Expanded):
    """Another metric than asked for."""

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        scores = self._vectors.view @ vector
        best = np.argsort(-scores, kind="stable")[:k]
        return Hits(self._store.ids[best], scores[best])


class Unfiltered(BruteForce):
    """Leaves the filter out."""

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        return super().query(vector, k, None, exact=exact)


class Slow(BruteForce):
    """Takes 20 ms for a batch."""

    def index(self, batch: Batch) -> None:
        time.sleep(0.02)
        super().index(batch)


def measured(
    tmp_path: Path, kind: type[BruteForce], centre: tuple[float, float], spread: float
) -> Measurement:
    task = {"task": "index", "batch_size": 100}
    return measure(bench_of(tmp_path, kind, task, rows=ROWS, centre=centre, spread=spread), "index")


@pytest.mark.parametrize("kind", [BruteForce, Expanded])
def test_near_the_origin_an_engine_in_float32_is_exact(tmp_path: Path, kind: type[BruteForce]) -> None:
    cell = measured(tmp_path, kind, (0.0, 0.0), 1.0)
    assert cell.error is None
    assert cell.metrics["exact_recall_at_5"] == 1.0


def test_what_float32_loses_far_from_the_origin_is_shown_and_no_error(tmp_path: Path) -> None:
    cell = measured(tmp_path, Expanded, (48.1, 11.6), 0.05)
    assert cell.error is None
    assert 0 < (cell.metrics["exact_recall_at_5"] or 0) < 0.8


def test_an_engine_that_orders_in_float64_loses_nothing_there(tmp_path: Path) -> None:
    cell = measured(tmp_path, BruteForce, (48.1, 11.6), 0.05)
    assert cell.error is None
    assert cell.metrics["exact_recall_at_5"] == 1.0


@pytest.mark.parametrize("kind", [InnerProduct, Unfiltered])
def test_a_wrong_metric_or_filter_is_an_error(tmp_path: Path, kind: type[BruteForce]) -> None:
    cell = measured(tmp_path, kind, (0.3, -0.2), 1.0)
    assert "its exact mode reaches recall 0." in str(cell.error)


def test_only_the_time_within_the_engine_counts_as_loading(tmp_path: Path) -> None:
    cell = measured(tmp_path, Slow, (0.0, 0.0), 1.0)
    loading_s, copying_s = cell.metrics["index_s"] or 0, cell.metrics["index_copying_s"]
    assert loading_s >= 15 * 0.02
    assert copying_s is not None and copying_s > 0
    rate = ROWS / (loading_s + (cell.metrics["ready_s"] or 0))
    assert cell.metrics["index_vectors_per_s"] == pytest.approx(rate, rel=0.02)
