"""The updates task: upsert and delete, then check that deleted items are gone and updated ones obey their filters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

# By name, so that an engine that replaces the clock does not change it here.
from time import perf_counter_ns, sleep
from typing import Any, NamedTuple

import numpy as np

from engines.base import Ids, UnsupportedError
from harness.oracle.exact import Truth
from harness.results.judging import Judged
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
from harness.tasks.updates.update_checks import Checks, count_missed
from harness.tasks.updates.visibility import measure_visibility

CHECKED = 100  # deleted items, and updated ones, that are searched for
COME_BACK_S = 1.0  # the last check is at least so long after the writes
LAST_CHECK_S = 0.5  # how long items are searched for once more at the end, and as long in the exact mode

Metrics = dict[str, float | None]
Reasons = dict[str, str]


def measure_updates(bench: Bench, task: UpdateTask, cell: PlannedCell) -> tuple[Measurement, Span]:
    """Writes, waits for refresh, then searches for what was deleted and what was changed.

    The queries that are asked afterwards are asked before as well, so that remembered answers show. After the single
    writes all is searched for once more, also in the exact mode: what was deleted must not have come back.
    """
    _check_supported(bench)
    bench.engine.configure(search_params(type(bench.engine), choose(bench), bench.session.label))
    rng = np.random.default_rng([bench.scenario.seed & 0xFFFFFFFF, bench.session.trial, *task.name.encode()])
    rows = _draw(bench, task, rng)
    updated, deleted = rows.updated[:CHECKED], rows.deleted[:CHECKED]
    before = Checks.of_present(bench, updated, deleted)
    asked_before = before.ask(bench)
    start_ns = perf_counter_ns()
    speeds, written_ns = _write(bench, task, rows)
    first = _Check.of(bench, Checks.of_present(bench, updated, deleted[:0]) + before)
    error = _miscounted(bench)
    visibility = measure_visibility(bench, rows.spare, rng)
    _wait_until(written_ns + int(COME_BACK_S * 1e9))
    bench.engine.refresh()
    written = np.concatenate([deleted, visibility.probed[:CHECKED], updated])
    last = _Check.of(bench, Checks.at(bench, rng.permutation(written)), limit_s=LAST_CHECK_S)
    counts, failed = _counts(asked_before, first, last)
    found, unknown = _found(bench, first, updated)
    exact, missing, inexactness = _exact_recall(bench, last)
    measurement = blank(bench.session, cell).model_copy(
        update={
            "metrics": speeds | counts | found | exact | visibility.metrics,
            "reasons": failed | unknown | missing | visibility.reasons,
            "error": error or _miscounted(bench) or inexactness,
        }
    )
    return measurement, (start_ns, perf_counter_ns())


class _Rows(NamedTuple):
    """Items to update and those whose content they get, items to delete, and items for single writes."""

    updated: Ids
    donors: Ids
    deleted: Ids
    spare: Ids


def _draw(bench: Bench, task: UpdateTask, rng: np.random.Generator) -> _Rows:
    order = rng.permutation(np.flatnonzero(bench.items.alive))
    upserts, deletes = (min(wanted, len(order) // 4) for wanted in (task.upserts, task.deletes))
    updated, deleted, spare = np.split(
        order[: upserts + deletes + len(order) // 4], [upserts, upserts + deletes]
    )
    return _Rows(updated, rng.choice(order[upserts:], upserts), deleted, spare)


def _write(bench: Bench, task: UpdateTask, rows: _Rows) -> tuple[Metrics, int]:
    """How fast the writes are, and when the last was acknowledged."""
    engine, items = bench.engine, bench.items
    items.replace(rows.updated, rows.donors)
    upsert_s = _timed(engine.index, rows.updated, task.batch_size, items.batch)
    delete_s = _timed(engine.delete, rows.deleted, task.batch_size, lambda ids: ids.copy())
    items.delete(rows.deleted)
    written_ns = perf_counter_ns()
    engine.refresh()
    speeds: Metrics = {
        "upserts_per_s": len(rows.updated) / upsert_s,
        "deletes_per_s": len(rows.deleted) / delete_s,
        "ready_s": round((perf_counter_ns() - written_ns) / 1e9, 3),
    }
    return speeds, written_ns


def _wait_until(due_ns: int) -> None:
    sleep(max(0, due_ns - perf_counter_ns()) / 1e9)


def _miscounted(bench: Bench) -> str | None:
    """What is wrong with the number of items; None where nothing is."""
    count, expected = bench.engine.count(), int(bench.items.alive.sum())
    if count == expected:
        return None
    return f"{expected} items should be left after the deletes, the engine holds {count}"


class _Check(NamedTuple):
    """Queries, what the engine answered to them, and that judged by the items as they were then."""

    checks: Checks
    truth: Truth
    samples: Samples
    judged: Judged

    @classmethod
    def of(cls, bench: Bench, checks: Checks, *, limit_s: float = np.inf) -> _Check:
        workload = checks.workload(bench)
        truth, samples = bench.exact(workload), checks.ask(bench, limit_s=limit_s)
        return cls(checks, truth, samples, bench.judge_against(truth, workload, samples))


def _counts(before: Samples, *checks: _Check) -> tuple[Metrics, Reasons]:
    """Requests, errors and wrong answers of all checks together. before: requests whose answers are not judged."""
    asked = [before, *(check.samples for check in checks)]
    errors = sum((Counter(samples.errors) for samples in asked), Counter[str]())
    counts: Metrics = {"queries": float(sum(map(len, asked))), "errors": float(errors.total())}
    for check in checks:
        for name, value in answer_counts(check.judged).items():
            counts[name] = (counts.get(name) or 0.0) + (value or 0.0)
    told = error_summary(errors)
    return counts, {"errors": told} if told else {}


def _found(bench: Bench, first: _Check, updated: Ids) -> tuple[Metrics, Reasons]:
    """Recall after the writes, over how many queries, and how many updated items are found.

    first: its first queries are for the items `updated`, in their order.
    """
    own = np.arange(len(updated))
    missed, searched = count_missed(
        first.samples.select(first.samples.query < len(own)), first.truth.take(own), updated
    )
    answered, name = ~np.isnan(first.judged.recall), f"recall_at_{bench.scenario.k}"
    metrics: Metrics = {
        name: float(first.judged.recall[answered].mean()) if answered.any() else None,
        "distinct_queries": float(np.count_nonzero(answered)),
        "missed_updates": float(missed),
        "checked_updates": float(searched),
    }
    return metrics, {} if answered.any() else {name: "every query failed"}


def _exact_recall(bench: Bench, last: _Check) -> tuple[Metrics, Reasons, str | None]:
    """Recall of the exact mode where items were written, and what is wrong with it. A graph may miss a new item; the
    exact mode misses only what is not there.
    """
    name = f"exact_recall_at_{bench.scenario.k}"
    if not bench.engine.capabilities.exact:
        return {name: None}, {name: "the engine has no exact mode"}, None
    samples = last.checks.ask(bench, exact=True, limit_s=LAST_CHECK_S)
    require_answers([samples])
    strict, forgiving = (
        float(
            bench.judge_against(
                last.truth, last.checks.workload(bench), samples, forgive_float32=forgive
            ).recall.mean()
        )
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
