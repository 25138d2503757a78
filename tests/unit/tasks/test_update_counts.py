"""What the updates task counts: all of its checks together, and recall over the queries that it is the mean of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Hits
from engines.bruteforce.adapter import BruteForce
from harness.tasks.updates import updates
from tests.unit.tasks.benches import bench_of, measure

UPSERTS, DELETES = 40, 30


class Counting(BruteForce):
    """Counts what it is asked, the exact mode apart."""

    asked = failed = 0

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        self.asked += not exact
        if not exact and where is not None and self.fails():
            self.failed += 1
            raise RuntimeError(f"number {self.failed}")
        return super().query(vector, k, where, exact=exact)

    def fails(self) -> bool:
        return False


class FailingAtTimes(Counting):
    """Every third query with a filter."""

    filtered = 0

    def fails(self) -> bool:
        self.filtered += 1
        return self.filtered % 3 == 1


@pytest.mark.parametrize("kind", [Counting, FailingAtTimes])
def test_requests_and_errors_of_all_checks_are_counted(tmp_path: Path, kind: type[Counting]) -> None:
    bench = bench_of(tmp_path, kind, {"task": "updates", "upserts": UPSERTS, "deletes": DELETES})
    engine: Any = bench.engine
    measure(bench, "index")
    engine.asked = engine.failed = 0
    cell = measure(bench, "updates")
    found = cell.metrics
    probing = 2 * (found["probes"] or 0)  # a query after each single write and each delete: they show at once
    assert found["queries"] == engine.asked - probing
    assert found["errors"] == engine.failed
    assert (found["errors"] or 0) <= (found["queries"] or 0)
    if engine.failed:
        assert f"RuntimeError: number 1 (1 of {engine.failed} times)" in cell.reasons["errors"]
    else:
        assert found["recall_at_5"] == found["exact_recall_at_5"] == 1.0


def test_recall_rests_on_the_queries_right_after_the_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the last check, of which it says nothing, do not make it look surer."""
    monkeypatch.setattr(updates, "LAST_CHECK_S", np.inf)  # however slow this machine is
    bench = bench_of(tmp_path, Counting, {"task": "updates", "upserts": UPSERTS, "deletes": DELETES})
    measure(bench, "index")
    measured_queries = len(bench.roles.measuring) * len(bench.corpus.workloads)
    found = measure(bench, "updates").metrics
    before = DELETES + UPSERTS + measured_queries
    assert found["distinct_queries"] == before + UPSERTS
    last = DELETES + UPSERTS + min(updates.CHECKED, int(found["probes"] or 0))
    assert found["judged_queries"] == before + UPSERTS + last
    assert found["queries"] == before + before + UPSERTS + last
