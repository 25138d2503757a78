"""The index task: load every item, wait until all are searchable, count what it cost."""

from __future__ import annotations

import gc
from collections.abc import Iterable
from time import perf_counter_ns  # by name, so that an engine that replaces the clock does not change it here

import numpy as np

from engines.abilities import require_fields
from engines.base import EngineError, EngineStats
from harness.load.clients import describe
from harness.load.repeats import BLOCK, repeat_gain
from harness.machine.resources import release
from harness.machine.usage import Usage
from harness.results.result import Measurement
from harness.results.samples import Samples, error_summary
from harness.scenario.cells import PlannedCell
from harness.scenario.plan import blank
from harness.scenario.tasks import IndexTask
from harness.tasks.bench import Bench, Span, batches
from harness.tasks.untimed import Untimed

_BEFORE = 20  # queries before the first that is asked twice
_BLOCKS = 4  # at least this many, for their median
REPEATS_S = 0.5  # how long queries are repeated; at least one block of them a filter
EXACT_CHECK_S = 0.5  # how long the exact mode is compared with the oracle; at least one query a filter


def measure_index(bench: Bench, task: IndexTask, cell: PlannedCell) -> tuple[Measurement, Span]:
    """Builds the index and checks the engine's exact mode against the oracle.

    The measurement carries an error where items are missing or the exact mode is not exact: whatever is
    wrong then (metric, filter, data) would make every approximate figure meaningless.
    """
    dataset, engine, k = bench.corpus.dataset, bench.engine, bench.scenario.k
    gc.collect()
    require_fields(engine.capabilities, dataset.schema)
    usage = Usage(bench.meter)
    engine.create(dataset.schema)
    start_ns, engine_ns = perf_counter_ns(), 0
    for batch in batches(dataset, task.batch_size):
        sent_ns = perf_counter_ns()
        engine.index(batch)
        engine_ns += perf_counter_ns() - sent_ns
        release(dataset.vectors)
    acknowledged_ns = perf_counter_ns()
    engine.refresh()
    ready_ns = perf_counter_ns()
    used, reasons = usage.figures(len(dataset.vectors))
    refresh_ns = ready_ns - acknowledged_ns
    metrics: dict[str, float | None] = {
        "index_vectors_per_s": len(dataset.vectors) / ((engine_ns + refresh_ns) / 1e9),
        "index_s": engine_ns / 1e9,
        "ready_s": round(refresh_ns / 1e9, 3),  # a shorter wait is only the cost of the call
        "index_copying_s": (acknowledged_ns - start_ns - engine_ns) / 1e9,
    }
    stats = engine.stats()
    stored, why = _disk(bench, stats)
    metrics |= used | stored | {"retries": float(stats.retries)}
    reasons |= why
    recall, allowed, asked = exact_recall(bench)
    metrics |= {f"exact_recall_at_{k}": recall, "exact_queries": float(asked)}
    if recall is None:
        reasons[f"exact_recall_at_{k}"] = "the engine has no exact mode"
    try:
        bench.repeat_gain, metrics["repeat_queries"] = _repeat_gain(bench)
    except Exception as failure:  # noqa: BLE001  queries that fail are counted where they are measured
        reasons["repeat_gain"] = reasons["errors"] = f"a query failed: {describe(failure)}"
        metrics |= {"errors": 1.0, "queries": 1.0}
    metrics["repeat_gain"] = bench.repeat_gain
    if bench.repeat_gain is None:
        reasons.setdefault("repeat_gain", "there are too few queries for warming up")
    error = None
    if engine.count() != len(dataset.vectors):
        error = f"{len(dataset.vectors)} items were acknowledged, the engine holds {engine.count()}"
    else:
        error = inexact(allowed, asked)
    measurement = blank(bench.session, cell).model_copy(
        update={"metrics": metrics, "reasons": reasons, "error": error}
    )
    return measurement, (start_ns, ready_ns)


def _disk(bench: Bench, stats: EngineStats) -> tuple[dict[str, float | None], dict[str, str]]:
    """Bytes on disk, measured from outside or else reported by the engine; the reason where neither is known."""
    seen = bench.meter.disk_bytes()
    size = stats.disk_bytes if seen is None else seen
    names = ("disk_bytes", "disk_bytes_per_vector")
    if size is None:
        reason = bench.meter.reason if bench.meter.separate else "the engine keeps nothing on disk"
        return dict.fromkeys(names), dict.fromkeys(names, reason)
    return dict(zip(names, (size, size / len(bench.corpus.dataset.vectors)), strict=True)), {}


def _repeat_gain(bench: Bench) -> tuple[float | None, float]:
    """How many times as fast queries are when asked again, and over how many; of the workload where that is most.

    Asks queries for warming up, which have not been asked before and which no window measures. A few others come
    first, so that the engine's first queries, which may be slow, do not count.
    """
    known, asked = [], 0
    for name in bench.corpus.workloads:
        for number in range(min(_BEFORE, len(bench.roles.checking))):
            workload = bench.workload(name, "checking")
            bench.engine.query(workload.queries[number], workload.k, workload.filters[number])
        gain, queries = repeat_gain(
            bench.engine,
            bench.workload(name, "warming"),
            limit_s=REPEATS_S / len(bench.corpus.workloads),
            block=min(BLOCK, max(1, len(bench.roles.warming) // _BLOCKS)),
        )
        asked += queries
        if gain is not None:
            known.append(gain)
    return max(known, default=None), float(asked)


def exact_recall(bench: Bench) -> tuple[float | None, float | None, int]:
    """Mean recall of the engine's exact mode, taking queries of every filter in turn, and how many were asked.

    Judged twice: as recall is everywhere, and with `float32_allowance` forgiven. Only the second must be 1.0: far
    from the origin an engine that computes in float32 loses neighbours to rounding although its metric, filter and
    data are right.
    """
    if not bench.engine.capabilities.exact:
        return None, None, 0
    workloads = {name: bench.workload(name, "checking") for name in bench.corpus.workloads}
    deadline_ns = perf_counter_ns() + int(EXACT_CHECK_S * 1e9)
    answers = {name: Untimed(bench.engine, workload) for name, workload in workloads.items()}
    for number in range(len(bench.roles.checking)):
        if number and perf_counter_ns() > deadline_ns:
            break
        for asked in answers.values():
            asked.ask(number, exact=True)
    samples = {name: asked.samples() for name, asked in answers.items()}
    require_answers(samples.values())
    strict, forgiving = (
        np.concatenate(
            [
                bench.judge(name, "checking", found, forgive_float32=forgive).recall
                for name, found in samples.items()
            ]
        )
        for forgive in (False, True)
    )
    return float(strict.mean()), float(forgiving.mean()), len(strict)


def require_answers(samples: Iterable[Samples]) -> None:
    """Raises EngineError where the exact mode failed to answer."""
    if failed := [told for found in samples if (told := error_summary(found.errors))]:
        raise EngineError(f"its exact mode failed: {failed[0]}")


def inexact(allowed: float | None, asked: int) -> str | None:
    """What is wrong with an exact mode, by its recall with rounding forgiven; None where nothing is."""
    if allowed is None or allowed >= 1.0:
        return None
    return (
        f"its exact mode reaches recall {allowed:.4f} against the oracle in {asked} queries, float32 rounding "
        "forgiven; 1.0 is required"
    )
