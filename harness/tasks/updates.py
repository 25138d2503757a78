"""The updates task: upsert and delete, then check that deleted items are gone and updated ones obey their filters."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.base import Batch, Column, Ids, Keywords, UnsupportedError, Vectors
from engines.filters import Eq, Filter, Range
from harness.data.dataset import Dataset
from harness.data.workload import Workload
from harness.machine.resources import private_copy
from harness.oracle.exact import exact_neighbours
from harness.oracle.scoring import Judged, judge_hits
from harness.results.result import Measurement
from harness.results.summary import percentile_ms
from harness.scenario.plan import blank
from harness.scenario.specs import UpdateTask
from harness.tasks.bench import Bench, as_samples
from harness.tasks.index import Span

CHECKED = 100  # deleted items, and updated ones, that are searched for
PROBES_S = 0.5  # how long single writes are timed until they are seen, and as long for deletes
SEEN_WITHIN_S = 5.0  # a write not seen by then is counted at this time: a lower bound


@dataclass(slots=True)
class State:
    """The items as they should be now. Arrays are this task's own and change with every write."""

    vectors: Vectors
    columns: dict[str, Column]
    alive: npt.NDArray[np.bool_]

    @classmethod
    def of(cls, dataset: Dataset) -> State:
        """The state after indexing. Vectors are mapped copy-on-write: only changed pages take memory."""
        vectors = private_copy(dataset.vectors)
        columns = {field.name: _copy(dataset.columns[field.name]) for field in dataset.schema.fields}
        return cls(vectors, columns, np.ones(len(vectors), dtype=np.bool_))

    def replace(self, rows: Ids, donors: Ids) -> None:
        """Gives `rows` the vectors and attributes of `donors`."""
        self.vectors[rows] = self.vectors[donors]
        for column in self.columns.values():
            values = column.codes if isinstance(column, Keywords) else column
            values[rows] = values[donors]

    def batch(self, rows: Ids) -> Batch:
        """The present content of `rows`, as it is sent to the engine."""
        columns = {name: column[rows] for name, column in self.columns.items()}
        return Batch(rows, np.array(self.vectors[rows]), columns)


def _copy(column: Column) -> Column:
    return Keywords(column.codes.copy(), column.vocabulary) if isinstance(column, Keywords) else column.copy()


def measure_updates(bench: Bench, task: UpdateTask) -> tuple[Measurement, Span]:
    """Writes, waits for refresh, then searches for what was deleted and what was changed."""
    _check_supported(bench)
    engine, rng = bench.engine, np.random.default_rng((bench.scenario.seed, bench.session.trial))
    state = State.of(bench.corpus.dataset)
    before = State.of(bench.corpus.dataset)
    order = rng.permutation(len(state.vectors))
    upserts = min(task.upserts, len(order) // 4)
    deletes = min(task.deletes, len(order) // 4)
    updated, deleted, spare = np.split(
        order[: upserts + deletes + len(order) // 4], [upserts, upserts + deletes]
    )
    start_ns = time.perf_counter_ns()
    state.replace(updated, rng.choice(order[upserts:], upserts))
    upsert_s = _timed(engine.index, updated, task.batch_size, state.batch)
    delete_s = _timed(engine.delete, deleted, task.batch_size, lambda rows: rows)
    state.alive[deleted] = False
    written_ns = time.perf_counter_ns()
    engine.refresh()
    ready_s = (time.perf_counter_ns() - written_ns) / 1e9
    judged, recall = _check(bench, before, state, updated[:CHECKED], deleted[:CHECKED])
    metrics: dict[str, float | None] = {
        "upserts_per_s": upserts / upsert_s,
        "deletes_per_s": deletes / delete_s,
        "ready_s": round(ready_s, 3),
        f"recall_at_{bench.scenario.k}": recall,
        "violations": float(judged.violations.sum()),
        "ghosts": float(judged.ghosts.sum()),
        "duplicates": float(judged.duplicates.sum()),
        "short_results": float(judged.short.sum()),
    }
    count = engine.count()
    timings, reasons = _visibility(bench, state, spare, rng)
    error = None
    if count != state.alive.sum():
        error = f"{state.alive.sum()} items should be left after the deletes, the engine holds {count}"
    cell = blank(bench.session, task).model_copy(
        update={"metrics": metrics | timings, "reasons": reasons, "error": error}
    )
    return cell, (start_ns, time.perf_counter_ns())


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


def _check(bench: Bench, before: State, now: State, updated: Ids, deleted: Ids) -> tuple[Judged, float]:
    """Searches where deleted items were, where updated ones are, and where they were before, each updated one
    under a filter that its attributes satisfy (or satisfied).
    """
    names = sorted(now.columns)
    old = [
        _own_filter(before, names[i % len(names)], row) if names else None for i, row in enumerate(updated)
    ]
    new = [_own_filter(now, names[i % len(names)], row) if names else None for i, row in enumerate(updated)]
    queries = np.concatenate([before.vectors[deleted], now.vectors[updated], before.vectors[updated]])
    k, metric = bench.scenario.k, bench.corpus.dataset.metric
    workload = Workload("updates", queries, (*([None] * len(deleted)), *new, *old), k)
    truth = exact_neighbours(now.vectors, queries, k, metric, workload.filters, now.columns, now.alive)
    answers = [
        (i, np.asarray(bench.engine.query(queries[i], k, where).ids, dtype=np.int64))
        for i, where in enumerate(workload.filters)
    ]
    judged = judge_hits(
        as_samples(answers, k),
        workload,
        truth,
        vectors=now.vectors,
        columns=now.columns,
        metric=metric,
        alive=now.alive,
    )
    return judged, float(judged.recall.mean())


def _own_filter(state: State, name: str, row: int) -> Filter:
    column = state.columns[name]
    if isinstance(column, Keywords):
        return Eq(name, str(column.vocabulary[column.codes[row]]))
    value = column[row].item()
    return Range(name, gte=value, lte=value) if isinstance(value, float) else Eq(name, value)


def _visibility(
    bench: Bench, state: State, spare: Ids, rng: np.random.Generator
) -> tuple[dict[str, float | None], dict[str, str]]:
    """Freshness and staleness: single writes, without refresh, timed from their acknowledgement."""
    fresh_ns: list[int] = []
    stale_ns: list[int] = []
    deadline_ns = time.perf_counter_ns() + int(2 * PROBES_S * 1e9)
    for row in spare:
        if time.perf_counter_ns() > deadline_ns:
            break
        # A midpoint of two items is a vector nothing else has, so that the written item is its nearest.
        left, right = rng.integers(0, len(state.vectors), 2)
        state.vectors[row] = (state.vectors[left] + state.vectors[right]) / 2
        probe = np.array(state.vectors[row])
        one = np.array([row], dtype=np.int64)
        bench.engine.index(state.batch(one))
        fresh_ns.append(_until(bench, probe, int(row), present=True))
        bench.engine.delete(one)
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
        seen = row in np.asarray(bench.engine.query(probe, bench.scenario.k).ids)
        elapsed_ns = time.perf_counter_ns() - start_ns
        if seen == present or elapsed_ns >= limit_ns:
            return min(elapsed_ns, limit_ns)
