"""Operations: reads and writes as data, in one schedule."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Batch, Capabilities, Field, Hits, Schema, UnsupportedError
from engines.bruteforce.adapter import BruteForce, Params
from engines.columns import Keywords
from engines.filters import Eq
from engines.values.fusion import fused
from harness.load.closed_loop import closed_loop
from harness.load.open_loop import open_loop
from harness.load.operations import (
    Delete,
    Get,
    HybridQuery,
    Kind,
    Operation,
    Operations,
    Query,
    Upsert,
    bind,
    unsupported,
)
from harness.load.schedules import constant
from harness.oracle.changing import Rows, judge_changing
from harness.oracle.versions import ABSENT, Writes, versions_of
from harness.results.samples import ERROR, OK, Samples
from tests.unit.load.load_engines import Calling, echo, numbered

N, K = 50, 4
RNG = np.random.default_rng(7)
VECTORS = RNG.standard_normal((2 * N, 3)).astype(np.float32)
BRANDS = Keywords.encode([f"b{i % 3}" for i in range(2 * N)])


def batch(ids: Any, rows: Any) -> Batch:
    return Batch(np.array(ids, dtype=np.int64), VECTORS[rows], {"brand": BRANDS[rows]})


@pytest.fixture
def engine(tmp_path: Path) -> BruteForce:
    engine = BruteForce(tmp_path, Params())
    engine.create(Schema(3, "l2", (Field("brand", "keyword"),)))
    engine.index(batch(range(N), np.arange(N)))
    return engine


def mixed() -> tuple[Operation, ...]:
    """Reads and writes in turn: item i gets the content of row N + i, every fifth is deleted afterwards."""
    operations: list[Operation] = []
    for item in range(20):
        operations += [
            Query(item, VECTORS[item]),
            Upsert(item, batch([item], np.array([N + item]))),
            Query(item, VECTORS[item], Eq("brand", "b1"), exact=True),
            Get(item, np.array([item, 10_000])),
        ]
        if item % 5 == 0:
            operations.append(Delete(item, np.array([item])))
    return tuple(operations)


def run_closed(engine: Any, operations: Operations) -> Samples:
    return closed_loop(engine, operations, duration_s=30)


def run_open(engine: Any, operations: Operations) -> Samples:
    return open_loop(engine, operations, constant(500, len(operations.items) / 500), clients=1)


@pytest.mark.parametrize("run", [run_closed, run_open])
def test_reads_and_writes_share_one_sequence_and_are_told_apart(run: Any, engine: BruteForce) -> None:
    operations = Operations(mixed(), K)
    samples = run(engine, operations)
    assert len(samples) == len(operations.items)
    assert (samples.status == OK).all()
    assert samples.kind is not None
    assert samples.kind.tolist() == [item.kind for item in operations.items]
    assert samples.query.tolist() == [item.number for item in operations.items]
    assert engine.count() == N - 4
    gets = samples.select(samples.kind == Kind.GET)
    assert gets.ids[:, :2].tolist() == [[item, -1] for item in range(20)]
    writes = samples.select(np.isin(samples.kind, [Kind.UPSERT, Kind.DELETE]))
    assert (writes.lengths == 0).all()
    queries = samples.select(samples.kind == Kind.QUERY)
    assert (queries.lengths == K).all()
    # Each was asked before its item was changed, and after all earlier ones were.
    assert (queries.ids[:, 0] == np.arange(20)).all()


@pytest.mark.parametrize("fault", [False, True])
def test_answers_given_while_items_are_written_are_judged_by_the_states_that_were_possible(
    fault: bool, engine: BruteForce
) -> None:
    class Forgetting(BruteForce):
        """Acknowledges deletions and does nothing."""

        def delete(self, ids: Any) -> None:
            pass

    if fault:
        engine.__class__ = Forgetting
    items = [item for item in mixed() if item.kind in {Kind.QUERY, Kind.UPSERT, Kind.DELETE}]
    items += [Query(number, VECTORS[N + number]) for number in range(20)]
    samples = closed_loop(engine, Operations(tuple(items), K), duration_s=30)
    assert samples.kind is not None
    written = samples.select(samples.kind != Kind.QUERY)
    assert written.kind is not None
    log = Writes(
        item=written.query,
        row=np.where(written.kind == Kind.DELETE, ABSENT, N + written.query),
        sent_ns=written.sent_ns,
        acknowledged_ns=written.done_ns,
    )
    asked = samples.select(samples.kind == Kind.QUERY)
    asked = replace(asked, query=np.arange(len(asked)))
    queries = [item for item in items if isinstance(item, Query)]
    workload = replace(
        numbered(1),
        queries=np.array([q.vector for q in queries]),
        filters=tuple(q.where for q in queries),
        k=K,
    )
    rows = Rows(VECTORS, {"brand": BRANDS}, "l2")
    judged = judge_changing(asked, workload, rows, versions_of(np.ones(N, dtype=np.bool_), log))
    assert bool(judged.ghosts.sum() > 0) is fault
    assert judged.violations.sum() == judged.unknown.sum() == 0
    if not fault:
        assert np.nanmin(judged.recall) == 1.0


def test_operations_in_order_are_sent_once_each_by_all_clients(engine: BruteForce) -> None:
    operations = Operations(mixed(), K)
    parts = [bind(operations, engine, RNG, (number, 2)).items for number in range(2)]
    assert [*parts[0], *parts[1]] == [*operations.items[::2], *operations.items[1::2]]
    queries = Operations(tuple(item for item in mixed() if item.kind == Kind.QUERY), K)
    samples = closed_loop(engine, queries, clients=3, duration_s=30)
    assert sorted(samples.query) == list(range(20))


def test_where_there_are_fewer_queries_than_processes_each_asks_all(engine: BruteForce) -> None:
    queries = Operations(tuple(Query(i, vector) for i, vector in enumerate(VECTORS[:3])), K, in_order=False)
    for number in range(4):
        found = bind(queries, engine, np.random.default_rng(1), (number, 4))
        assert sorted(found.numbers.tolist()) == [0, 1, 2]


def test_operations_in_order_cannot_be_the_warm_up_too(engine: BruteForce) -> None:
    operations = Operations(mixed(), K)
    with pytest.raises(ValueError, match="warm-up of their own"):
        closed_loop(engine, operations, duration_s=1, warmup_s=1)
    with pytest.raises(ValueError, match="warm-up of their own"):
        open_loop(engine, operations, constant(100, 0.1), clients=1, warmup_s=1)
    with pytest.raises(ValueError, match="only 84 operations are given"):
        open_loop(engine, operations, constant(100, 1), clients=1)
    samples = closed_loop(engine, operations, duration_s=30, warmup=numbered_like(), warmup_s=0.02)
    assert len(samples) == len(operations.items)


def numbered_like() -> Operations:
    return Operations(tuple(Query(i, vector) for i, vector in enumerate(VECTORS)), K, in_order=False)


def test_a_write_that_fails_is_an_error(engine: BruteForce) -> None:
    wrong = Batch(np.array([1]), np.zeros((1, 9), dtype=np.float32), {"brand": BRANDS[:1]})
    samples = closed_loop(engine, Operations((Upsert(0, wrong),), K), duration_s=30)
    assert (samples.status == ERROR).all()


@pytest.mark.parametrize(
    ("operation", "can", "reason"),
    [
        (Query(0, VECTORS[0], exact=True), {"exact": False}, "no exact queries"),
        (Delete(0, np.array([1])), {"delete": False}, "cannot delete"),
        (Get(0, np.array([1])), {"lookup": False}, "does not fetch items by id"),
        (HybridQuery(0, VECTORS[0], "red shoe"), {"text": False}, "does not rank by words"),
    ],
)
def test_what_an_engine_cannot_do_is_refused_beforehand(operation: Any, can: Any, reason: str) -> None:
    engine = Calling(echo)
    engine.capabilities = Capabilities(**{"lookup": True, "text": True, "thread_safe": True} | can)
    with pytest.raises(UnsupportedError, match=reason):
        closed_loop(engine, Operations((operation,), K), duration_s=1)
    assert reason in unsupported([operation.kind], engine.capabilities, 1)
    assert unsupported([Kind.QUERY], engine.capabilities, 4) == ""


def test_threads_are_refused_where_writes_may_not_run_beside_queries() -> None:
    reads, writes = [Kind.QUERY], [Kind.QUERY, Kind.UPSERT]
    alone, shared = Capabilities(), Capabilities(thread_safe=True)
    assert unsupported(writes, alone, 1) == ""
    assert "queries may not run in several threads" in unsupported(reads, alone, 2)
    assert unsupported(reads, shared, 2) == ""
    assert "writes may not run beside queries" in unsupported(writes, shared, 2)
    assert unsupported(writes, Capabilities(thread_safe=True, thread_safe_writes=True), 2) == ""


class Worded(Calling):
    """Ranks items by vector one way, and by words another."""

    capabilities = Capabilities(thread_safe=True, text=True)

    def __init__(self) -> None:
        super().__init__(lambda number: Hits([1, 2, 3, 4], [0.1, 0.2, 0.3, 0.4]))
        self.texts: list[tuple[str, int]] = []

    def match(self, text: str, k: int, where: Any = None) -> Hits:
        time.sleep(0.002)
        self.texts.append((text, k))
        return Hits([9, 3, 1], [7.0, 6.0, 5.0])


def test_a_hybrid_query_fuses_both_rankings_and_is_timed_as_one() -> None:
    engine = Worded()
    operations = Operations((HybridQuery(5, VECTORS[0], "red shoe", Eq("brand", "b1")),), 3)
    samples = closed_loop(engine, operations, duration_s=30)
    assert engine.texts == [("red shoe", 15)]
    assert samples.ids.tolist() == [[1, 3, 9]]
    assert samples.kind is not None and samples.kind.tolist() == [Kind.HYBRID_QUERY]
    assert samples.service_time_ns[0] >= 2_000_000
    assert samples.scores is not None
    np.testing.assert_allclose(samples.scores[0], [1 / 61 + 1 / 63, 1 / 63 + 1 / 62, 1 / 61])


def test_fusion_sums_reciprocal_ranks_and_breaks_ties_by_id() -> None:
    first, second = Hits([10, 20, 30], [1, 2, 3]), Hits([30, 20, 40], [9, 8, 7])
    found = fused((first, second), 10)
    assert list(found.ids) == [30, 20, 10, 40]
    np.testing.assert_allclose(found.scores, [1 / 63 + 1 / 61, 2 / 62, 1 / 61, 1 / 63])
    assert list(fused((Hits([5, 4], [1, 1]), Hits([4, 5], [1, 1])), 2).ids) == [4, 5]
    assert list(fused((Hits([], []), Hits([], [])), 3).ids) == []
    assert len(fused((first, second), 2).ids) == 2
