"""Single writes without refresh: how long until queries see them."""

from __future__ import annotations

from time import perf_counter_ns
from typing import NamedTuple

import numpy as np

from engines.base import Ids, Vectors
from harness.load.answers import read_column
from harness.results.summary import percentile_ms
from harness.tasks.bench import Bench

PROBES_S = 0.5  # how long single writes are timed until they are seen, and as long for deletes
SEEN_WITHIN_S = 5.0  # a write not seen by then is counted at this time: a lower bound
_LEAST = 2  # items: one of them is written again, one stays deleted


class Visibility(NamedTuple):
    """Freshness and staleness as metrics, with the reasons for what is missing, and the items that were probed."""

    metrics: dict[str, float | None]
    reasons: dict[str, str]
    probed: Ids


def measure_visibility(bench: Bench, spare: Ids, rng: np.random.Generator) -> Visibility:
    """Writes and deletes items of `spare` one by one, each timed from its acknowledgement until a query shows it. Every
    second one is written again at the end.
    """
    items = bench.items
    probed: list[int] = []
    fresh_ns: list[int] = []
    stale_ns: list[int] = []
    deadline_ns = perf_counter_ns() + int(2 * PROBES_S * 1e9)
    for row in spare:
        if len(probed) >= _LEAST and perf_counter_ns() > deadline_ns:
            break
        probed.append(int(row))
        # No other item has the midpoint of two items as its vector, so the written item is the nearest to it.
        left, right = rng.integers(0, len(items.vectors), 2)
        items.move(row, (items.vectors[left] + items.vectors[right]) / 2)
        probe = np.array(items.vectors[row])
        one = np.array([row], dtype=np.int64)
        bench.engine.index(items.batch(one))
        fresh_ns.append(_until(bench, probe, int(row), present=True))
        bench.engine.delete(one.copy())
        items.delete(one)
        stale_ns.append(_until(bench, probe, int(row), present=False))
    for row in probed[::2]:
        items.move(row, np.array(items.vectors[row]))
        bench.engine.index(items.batch(np.array([row], dtype=np.int64)))
    metrics: dict[str, float | None] = {"probes": float(len(fresh_ns))}
    reasons: dict[str, str] = {}
    for name, times_ns in (("freshness", fresh_ns), ("staleness", stale_ns)):
        for quantile, label in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99")):
            value, reason = percentile_ms(np.array(times_ns, dtype=np.int64), quantile)
            metrics[f"{name}_{label}_ms"] = value
            if reason:
                reasons[f"{name}_{label}_ms"] = reason
    return Visibility(metrics, reasons, np.array(probed, dtype=np.int64))


def _until(bench: Bench, probe: Vectors, row: int, *, present: bool) -> int:
    """Nanoseconds until a query sees (or no longer sees) the item, at most SEEN_WITHIN_S."""
    start_ns = perf_counter_ns()
    limit_ns = int(SEEN_WITHIN_S * 1e9)
    while True:
        seen = row in read_column(bench.engine.query(probe.copy(), bench.scenario.k).ids)
        elapsed_ns = perf_counter_ns() - start_ns
        if seen == present or elapsed_ns >= limit_ns:
            return min(elapsed_ns, limit_ns)
