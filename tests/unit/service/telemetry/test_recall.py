"""The online recall of an index that misses half, beside one that misses nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Batch, Hits, Schema
from engines.bruteforce.adapter import BruteForce, Params
from engines.filters import Filter
from service.telemetry.meters import Meters
from service.telemetry.recall import OnlineRecall, Sampled, found_of
from tests.service.scraped import samples

DIM, ROWS, K = 8, 400, 10
VECTORS = np.random.default_rng(0).standard_normal((ROWS, DIM)).astype(np.float32)


class Plain(BruteForce):
    """Finds everything."""

    def __init__(self) -> None:
        super().__init__(Path(), Params())
        self.create(Schema(DIM, "cosine", ()))
        super().index(Batch(np.arange(ROWS), VECTORS, {}))
        self.asked_exactly = threading.Event()

    def match(self, text: str, k: int, where: Filter | None = None) -> Hits:
        raise AssertionError

    def query(self, vector: Any, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        if exact:
            self.asked_exactly.set()
        return super().query(vector, k, where, exact=exact)


class MissesHalf(Plain):
    """Asked approximately, it skips every other of the nearest."""

    def query(self, vector: Any, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        if exact:
            return super().query(vector, k, where, exact=True)
        hits = super().query(vector, 2 * k, where)
        return Hits(np.asarray(hits.ids)[::2], np.asarray(hits.scores)[::2])


class FailsExactly(Plain):
    """Asked exactly, it raises."""

    def query(self, vector: Any, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        hits = super().query(vector, k, where, exact=exact)
        if exact:
            raise OSError("no route to host")
        return hits


def told(
    index: Any, share: float = 1.0, busy: Callable[[], bool] = lambda: False, exact: bool = False
) -> dict[str, Any]:
    """What metrics say after each vector was asked for, one at a time."""
    meters = Meters()
    sampled = Sampled(index, share)
    recall = OnlineRecall(meters, sampled, "planted", busy, rest=0.0)
    for vector in VECTORS[:40]:
        sampled.query(vector, K, exact=exact)
        # Until it has been judged, so that none is dropped.
        if share and not exact and not busy():
            with recall._free:
                pass
    recall.close()
    recall.close()
    return samples(meters.text().decode())


def test_half_is_missed_and_told_and_the_correct_twin_misses_nothing() -> None:
    wrong, right = told(MissesHalf()), told(Plain())
    assert wrong["bakeoff_online_recall"] == {("planted",): pytest.approx(0.5)}
    assert right["bakeoff_online_recall"] == {("planted",): 1.0}
    for found, share in ((wrong, 0.5), (right, 1.0)):
        assert found["bakeoff_online_recall_samples"] == {(): 40}
        assert found["bakeoff_online_recall_sought_total"] == {(): 40 * K}
        assert found["bakeoff_online_recall_found_total"] == {(): 40 * K * share}


def test_a_share_is_judged_and_exact_questions_are_not() -> None:
    some = told(Plain(), share=0.5)["bakeoff_online_recall_samples"][()]
    assert 0 < some < 40
    for found in (told(Plain(), share=0.0), told(Plain(), exact=True)):
        assert "bakeoff_online_recall" not in found  # not 0, which would be an alarm
        assert found["bakeoff_online_recall_samples"] == {(): 0}


def test_a_busy_service_is_not_asked_again() -> None:
    index = Plain()
    found = told(index, busy=lambda: True)
    assert not index.asked_exactly.is_set()
    assert found["bakeoff_online_recall_dropped_total"] == {("busy",): 40}
    assert "bakeoff_online_recall" not in found


def test_one_is_judged_at_a_time_and_nobody_waits() -> None:
    """Whoever asks goes on while an exact question hangs."""
    go = threading.Event()

    class Hangs(Plain):
        def query(self, vector: Any, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
            hits = super().query(vector, k, where, exact=exact)
            assert not exact or go.wait(30)
            return hits

    meters, index = Meters(), Hangs()
    sampled = Sampled(index, 1.0)
    recall = OnlineRecall(meters, sampled, "planted", lambda: False, rest=0.0)
    sampled.query(VECTORS[0], K)
    assert index.asked_exactly.wait(30)
    for vector in VECTORS[1:10]:
        sampled.query(vector, K)
    assert samples(meters.text().decode())["bakeoff_online_recall_dropped_total"] == {("resting",): 9}
    go.set()
    recall.close()
    assert samples(meters.text().decode())["bakeoff_online_recall_samples"] == {(): 1}


def test_a_failure_is_counted_and_told(caplog: pytest.LogCaptureFixture) -> None:
    found = told(FailsExactly())
    assert found["bakeoff_online_recall_dropped_total"] == {("failed",): 40}
    assert "OSError: no route to host" in caplog.text


def test_ties_are_no_misses() -> None:
    exact = Hits([1, 2], [0.9, 0.5])
    assert found_of(Hits([1, 3], [0.9, 0.5]), exact) == 2
    assert found_of(Hits([1, 3], [0.9, 0.4]), exact) == 1
    assert found_of(Hits([3, 4, 5], [0.5, 0.5, 0.5]), exact) == 2
    assert found_of(Hits([], []), exact) == 0
