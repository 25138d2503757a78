"""The updates task: upsert and delete, then check that deleted items are gone and updated ones obey their filters."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from engines.base import Ids, UnsupportedError, Vectors
from harness.load.answers import read_column
from harness.results.result import Measurement
from harness.results.samples import error_summary
from harness.results.summary import answer_counts, percentile_ms
from harness.scenario.cells import PlannedCell
from harness.scenario.parameters import search_params
from harness.scenario.plan import blank
from harness.scenario.tasks import UpdateTask
from harness.tasks.bench import Bench, Span
from harness.tasks.operating_point import choose
from harness.tasks.update_checks import Checks, count_missed

CHECKED = 100  # deleted items, and updated ones, that are searched for
PROBES_S = 0.5  # how long single writes are timed until they are seen, and as long for deletes
SEEN_WITHIN_S = 5.0  # a write not seen by then is counted at this time: a lower bound


def measure_updates(bench: Bench, task: UpdateTask, cell: PlannedCell) -> tuple[Measurement, Span]:
    """Writes, waits for refresh, then searches for what was deleted and what was changed.

    The queries that are asked afterwards are asked before as well, so that remembered answers show.
    """
    _check_supported(bench)
    engine, items = bench.engine, bench.items
    engine.configure(search_params(type(engine), choose(bench), bench.session.label))
    rng = np.random.default_rng([bench.scenario.seed & 0xFFFFFFFF, bench.session.trial, *task.name.encode()])
    order = rng.permutation(np.flatnonzero(items.alive))
    upserts, deletes = (min(wanted, len(order) // 4) for wanted in (task.upserts, task.deletes))
    updated, deleted, spare = np.split(
        order[: upserts + deletes + len(order) // 4], [upserts, upserts + deletes]
    )
    before = Checks.of_present(bench, updated[:CHECKED], deleted[:CHECKED])
    before.ask(bench)
    start_ns = time.perf_counter_ns()
    items.replace(updated, rng.choice(order[upserts:], upserts))
    upsert_s = _timed(engine.index, updated, task.batch_size, items.batch)
    delete_s = _timed(engine.delete, deleted, task.batch_size, lambda rows: rows)
    items.delete(deleted)
    written_ns = time.perf_counter_ns()
    engine.refresh()
    ready_s = (time.perf_counter_ns() - written_ns) / 1e9
    metrics, reasons = _checked(
        bench, Checks.of_present(bench, updated[:CHECKED], deleted[:0]), before, updated
    )
    metrics |= {
        "upserts_per_s": upserts / upsert_s,
        "deletes_per_s": deletes / delete_s,
        "ready_s": round(ready_s, 3),
    }
    count, expected = engine.count(), int(items.alive.sum())
    timings, missing = _visibility(bench, spare, rng)
    engine.refresh()
    error = None
    if count != expected:
        error = f"{expected} items should be left after the deletes, the engine holds {count}"
    measurement = blank(bench.session, cell).model_copy(
        update={"metrics": metrics | timings, "reasons": reasons | missing, "error": error}
    )
    return measurement, (start_ns, time.perf_counter_ns())


def _checked(
    bench: Bench, own: Checks, before: Checks, updated: Ids
) -> tuple[dict[str, float | None], dict[str, str]]:
    """What the engine answers after the writes, judged by the items as they are now.

    own: queries for the first of the updated items, in their order; before: what was asked before the writes.
    """
    checks = own + before
    workload = checks.workload(bench)
    truth, samples = bench.exact(workload), checks.ask(bench)
    judged = bench.judge_against(truth, workload, samples)
    first = np.arange(len(own.filters))
    missed, searched = count_missed(
        samples.select(samples.query < len(first)), truth.take(first), updated[: len(first)]
    )
    failed, recall = sum(samples.errors.values()), f"recall_at_{bench.scenario.k}"
    metrics: dict[str, float | None] = {
        recall: float(np.nanmean(judged.recall)) if failed < len(samples) else None,
        "missed_updates": float(missed),
        "checked_updates": float(searched),
        "queries": float(len(samples)),
        "errors": float(failed),
        **answer_counts(judged),
    }
    reasons = {"errors": summary} if (summary := error_summary(samples)) else {}
    if metrics[recall] is None:
        reasons[recall] = "every query failed"
    return metrics, reasons


def _check_supported(bench: Bench) -> None:
    can = bench.engine.capabilities
    missing = [name for name in ("update", "delete") if not getattr(can, name)]
    if missing:
        raise UnsupportedError(f"it cannot {' or '.join(missing)} items")


def _timed(write: Callable[[Any], None], rows: Ids, size: int, prepare: Callable[[Ids], Any]) -> float:
    """Seconds spent in `write`, batch by batch; preparing a batch is not counted."""
    spent_ns = 0
    for first in range(0, len(rows), size):
        batch = prepare(rows[first : first + size])
        start_ns = time.perf_counter_ns()
        write(batch)
        spent_ns += time.perf_counter_ns() - start_ns
    return spent_ns / 1e9


def _visibility(
    bench: Bench, spare: Ids, rng: np.random.Generator
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Freshness and staleness: single writes, without refresh, timed from their acknowledgement."""
    items = bench.items
    fresh_ns: list[int] = []
    stale_ns: list[int] = []
    deadline_ns = time.perf_counter_ns() + int(2 * PROBES_S * 1e9)
    for row in spare:
        if time.perf_counter_ns() > deadline_ns:
            break
        # No other item has the midpoint of two items as its vector, so the written item is the nearest to it.
        left, right = rng.integers(0, len(items.vectors), 2)
        items.move(row, (items.vectors[left] + items.vectors[right]) / 2)
        probe = np.array(items.vectors[row])
        one = np.array([row], dtype=np.int64)
        bench.engine.index(items.batch(one))
        fresh_ns.append(_until(bench, probe, int(row), present=True))
        bench.engine.delete(one)
        items.delete(one)
        stale_ns.append(_until(bench, probe, int(row), present=False))
    metrics: dict[str, float | None] = {"probes": float(len(fresh_ns))}
    reasons: dict[str, str] = {}
    for name, times_ns in (("freshness", fresh_ns), ("staleness", stale_ns)):
        for quantile, label in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99")):
            value, reason = percentile_ms(np.array(times_ns, dtype=np.int64), quantile)
            metrics[f"{name}_{label}_ms"] = value
            if reason:
                reasons[f"{name}_{label}_ms"] = reason
    return metrics, reasons


def _until(bench: Bench, probe: Vectors, row: int, *, present: bool) -> int:
    """Nanoseconds until a query sees (or no longer sees) the item, at most SEEN_WITHIN_S."""
    start_ns = time.perf_counter_ns()
    limit_ns = int(SEEN_WITHIN_S * 1e9)
    while True:
        seen = row in read_column(bench.engine.query(probe, bench.scenario.k).ids)
        elapsed_ns = time.perf_counter_ns() - start_ns
        if seen == present or elapsed_ns >= limit_ns:
            return min(elapsed_ns, limit_ns)
