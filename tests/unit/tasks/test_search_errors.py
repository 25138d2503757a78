"""Errors of a search: those of its warm-up count too, and the first one is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engines.base import Hits
from engines.bruteforce.adapter import BruteForce
from tests.unit.tasks.benches import bench_of, measure


class ColdAtFirst(BruteForce):
    """Fails the first query that it is asked after a change of settings, and every tenth one in another way."""

    asked = 0

    def configure(self, search: Any) -> None:
        self.asked = 0

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        self.asked += 1
        if self.asked == 1:
            raise RuntimeError("cold")
        if self.asked % 10 == 0:
            raise RuntimeError("busy")
        return super().query(vector, k, where, exact=exact)


def test_the_first_error_that_is_named_is_that_of_the_warm_up(tmp_path: Path) -> None:
    task = {"task": "search", "name": "closed", "duration_s": 0.1, "warmup_s": 0.05, "warmup_max_s": 0.05}
    bench = bench_of(tmp_path, ColdAtFirst, task)
    bench.engine.create(bench.corpus.dataset.schema)
    bench.engine.index(bench.items.batch(bench.items.alive.nonzero()[0]))
    cell = measure(bench, "closed")
    engine: Any = bench.engine
    assert cell.metrics["errors"] == 1 + engine.asked // 10
    assert cell.reasons["errors"].startswith("first: RuntimeError: cold; most frequent: RuntimeError: busy ")
