"""The updates task: upsert and delete, then check that deleted items are gone and updated ones obey their filters."""

from __future__ import annotations

from collections.abc import Callable
from time import (
    perf_counter_ns,
    sleep,
)  # by name, so that an engine that replaces the clock does not change it here
from typing import Any

import numpy as np

from engines.base import Ids, UnsupportedError
from harness.oracle.exact import Truth
from harness.results.result import Measurement
from harness.results.samples import Samples, error_summary
from harness.results.summary import answer_counts
from harness.scenario.cells import PlannedCell
from harness.scenario.parameters import search_params
from harness.scenario.plan import blank
from harness.scenario.tasks import UpdateTask
from harness.tasks.bench import Bench, Span
from harness.tasks.index import inexact, require_answers
from harness.tasks.operating_point import choose
from harness.tasks.update_checks import Checks, count_missed
from harness.tasks.visibility import measure_visibility

CHECKED = 100  # deleted items, and updated ones, that are searched for
COME_BACK_S = 1.0  # the last check is at least so long after the writes
LAST_CHECK_S = 0.5  # how long items are searched for once more at the end, and as long in the exact mode


def measure_updates(bench: Bench, task: UpdateTask, cell: PlannedCell) -> tuple[Measurement, Span]:
    """Writes, waits for refresh, then searches for what was deleted and what was changed.

    The queries that are asked afterwards are asked before as well, so that remembered answers show. After the single
    writes all is searched for once more, also in the exact mode: what was deleted must not have come back.
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
    asked_before = before.ask(bench)
    start_ns = perf_counter_ns()
    items.replace(updated, rng.choice(order[upserts:], upserts))
    upsert_s = _timed(engine.index, updated, task.batch_size, items.batch)
    delete_s = _timed(engine.delete, deleted, task.batch_size, lambda rows: rows.copy())
    items.delete(deleted)
    written_ns = perf_counter_ns()
    engine.refresh()
    ready_s = (perf_counter_ns() - written_ns) / 1e9
    metrics, reasons = _checked(
        bench, Checks.of_present(bench, updated[:CHECKED], deleted[:0]), before, updated
    )
    metrics |= {
        "upserts_per_s": upserts / upsert_s,
        "deletes_per_s": deletes / delete_s,
        "ready_s": round(ready_s, 3),
    }
    error = _miscounted(bench)
    visibility = measure_visibility(bench, spare, rng)
    _wait_until(written_ns + int(COME_BACK_S * 1e9))
    engine.refresh()
    written = np.concatenate([deleted[:CHECKED], visibility.probed[:CHECKED], updated[:CHECKED]])
    checks = Checks.at(bench, rng.permutation(written))
    truth = bench.exact(checks.workload(bench))
    last, doubt = _checked_last(bench, checks, truth)
    last |= {"errors": last["errors"] + sum(asked_before.errors.values())}
    metrics |= {name: (metrics.get(name) or 0.0) + value for name, value in last.items()}
    exact, missing, inexactness = _exact_recall(bench, checks, truth)
    measurement = blank(bench.session, cell).model_copy(
        update={
            "metrics": metrics | exact | visibility.metrics,
            "reasons": _told(asked_before) | doubt | reasons | missing | visibility.reasons,
            "error": error or _miscounted(bench) or inexactness,
        }
    )
    return measurement, (start_ns, perf_counter_ns())


def _wait_until(due_ns: int) -> None:
    sleep(max(0, due_ns - perf_counter_ns()) / 1e9)


def _miscounted(bench: Bench) -> str | None:
    """What is wrong with the number of items; None where nothing is."""
    count, expected = bench.engine.count(), int(bench.items.alive.sum())
    if count == expected:
        return None
    return f"{expected} items should be left after the deletes, the engine holds {count}"


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
    reasons = _told(samples)
    if metrics[recall] is None:
        reasons[recall] = "every query failed"
    return metrics, reasons


def _checked_last(bench: Bench, checks: Checks, truth: Truth) -> tuple[dict[str, float], dict[str, str]]:
    """How many queries, errors and wrong answers there are at the end, when what was written is searched for."""
    samples = checks.ask(bench, limit_s=LAST_CHECK_S)
    counts = answer_counts(bench.judge_against(truth, checks.workload(bench), samples))
    found = {"queries": float(len(samples)), "errors": float(sum(samples.errors.values()))}
    return found | {name: value or 0.0 for name, value in counts.items()}, _told(samples)


def _told(samples: Samples) -> dict[str, str]:
    told = error_summary(samples)
    return {"errors": told} if told else {}


def _exact_recall(
    bench: Bench, checks: Checks, truth: Truth
) -> tuple[dict[str, float | None], dict[str, str], str | None]:
    """Recall of the exact mode where items were written, and what is wrong with it. A graph may miss a new item; the
    exact mode misses only what is not there.
    """
    name = f"exact_recall_at_{bench.scenario.k}"
    if not bench.engine.capabilities.exact:
        return {name: None}, {name: "the engine has no exact mode"}, None
    samples, workload = checks.ask(bench, exact=True, limit_s=LAST_CHECK_S), checks.workload(bench)
    require_answers([samples])
    strict, forgiving = (
        float(bench.judge_against(truth, workload, samples, forgive_float32=forgive).recall.mean())
        for forgive in (False, True)
    )
    wrong = inexact(forgiving, len(samples))
    return (
        {name: strict, "exact_queries": float(len(samples))},
        {},
        f"after the writes {wrong}" if wrong else None,
    )


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
        start_ns = perf_counter_ns()
        write(batch)
        spent_ns += perf_counter_ns() - start_ns
    return spent_ns / 1e9
