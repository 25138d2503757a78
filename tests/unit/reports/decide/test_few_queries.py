"""What few queries or a single trial leave open."""

from __future__ import annotations

import io

import numpy as np
import pytest
from rich.console import Console

from harness.results.stats import wilson_bounds
from reports.decide.decision import conclude, decide
from reports.decide.evidence import gather_evidence
from reports.page.summary import summary_rows
from tests.unit.example_results import build, edit, with_metrics
from tests.unit.reports.decide.deciding import TWO, check, on, setting, standing
from tests.unit.reports.summaries import summary_of


@pytest.mark.parametrize(("queries", "status"), [(12.0, "too close to call"), (2000.0, "holds")])
def test_a_recall_of_few_queries_decides_nothing(queries: float, status: str) -> None:
    base = build(engines=TWO)
    few = on(
        base,
        lambda c: (
            with_metrics(c, recall_at_10=1.0, recall_sd=0.0, queries=queries) if c.kind == "search" else c
        ),
    )
    decision = decide(few)
    found = check(decision, "recall_at_10")
    assert (found.status, found.met, found.queries) == (status, True, int(queries))
    assert (decision.pick is None) == (queries == 12)
    if queries == 12:
        assert decision.leader is not None
        assert "its recall was taken from too few queries (12 with filter" in decision.sentence
        assert found.low is not None
        assert found.low < 0.8
        assert any("12 queries, at least 30 are needed" in text for text in decision.caveats)


def test_an_engine_is_not_out_by_one_query() -> None:
    """A recall of 0.5 of one query: the engine could not be judged, which is said with the count."""
    base = build(engines=TWO)
    one = on(
        base,
        lambda c: with_metrics(c, recall_at_10=0.5, recall_sd=None, queries=1.0),
        engine="qdrant",
        kind="search",
    )
    out = standing(decide(one), "qdrant")
    assert out.status == "not judged"
    assert out.sentence.startswith("qdrant could not be judged: recall@10 is 0.500 (1 query) with filter")
    assert "too close to call" in out.sentence
    assert check(decide(one), "recall_at_10", "qdrant").status == "too close to call"


def test_distinct_queries_count_and_never_more_than_the_data_has() -> None:
    base = build(engines=TWO)
    repeated = on(base, lambda c: with_metrics(c, queries=50_000.0), kind="search")
    assert check(decide(repeated), "recall_at_10").queries == 2000
    distinct = on(
        base, lambda c: with_metrics(c, queries=50_000.0, distinct_queries=40.0, judged_queries=900.0)
    )
    assert check(decide(distinct), "recall_at_10").queries == 40


def test_recall_without_any_count_rests_on_its_trials() -> None:
    base = build(engines=TWO, arrivals=False)
    bare = edit(base, lambda c: with_metrics(c, queries=None, recall_sd=None))
    found = check(decide(bare), "recall_at_10")
    assert found.queries is None
    assert found.low is not None


def test_the_interval_of_a_recall_covers_its_true_value() -> None:
    """Recall differs from query to query: most find all, some find few. Hits of one query are not independent."""
    rng = np.random.default_rng(5)
    for count in (40, 150, 1000):
        runs = 2000
        hard = rng.random((runs, count)) < 0.1
        values = np.where(hard, rng.integers(0, 10, (runs, count)) / 10, 1.0)
        truth = 0.9 + 0.1 * np.mean(np.arange(10)) / 10
        mean, variance = values.mean(axis=1), values.var(axis=1, ddof=1)
        low, high = wilson_bounds(mean, np.full(runs, float(count)), variance)
        covered = np.mean((low <= truth) & (truth <= high))
        assert 0.93 <= covered <= 0.99
        # Hits counted as if each were drawn for itself would promise far too much.
        low, high = wilson_bounds(mean, np.full(runs, 10.0 * count), np.full(runs, np.nan))
        assert np.mean((low <= truth) & (truth <= high)) < 0.75


def test_equal_recalls_still_leave_room_for_other_queries() -> None:
    low, high = wilson_bounds(
        np.array([1.0, 0.9, 0.9]), np.array([30.0, 30.0, 0.0]), np.array([0.0, 0.0, 0.1])
    )
    assert low[0] == pytest.approx(0.886, abs=0.002)
    assert high[0] == pytest.approx(1.0)
    assert 0.79 < low[1] < 0.9 < high[1] < 1
    assert np.isnan(low[2])


def test_a_latency_requirement_does_not_hold_on_one_trial() -> None:
    base = build(engines=TWO, requirements=("latency.p50 < 50ms",))
    assert check(decide(base), "latency_p50_ms").status == "holds"
    once = edit(base, lambda c: None if c.task == "offered-load" and c.trial else c)
    found = check(decide(once), "latency_p50_ms")
    assert (found.status, found.met, found.reason) == ("too close to call", True, "one trial")


def test_requirements_that_no_recall_can_break_hold_however_few_the_queries() -> None:
    base = build(engines=TWO, requirements=("recall >= 0",))
    few = edit(base, lambda c: with_metrics(c, queries=3.0))
    assert check(decide(few), "recall_at_10").status == "holds"


def test_the_terminal_says_which_recalls_rest_on_few_queries() -> None:
    base = build(engines=TWO)
    one = on(base, lambda c: with_metrics(c, recall_at_10=0.5, queries=3.0), engine="qdrant", kind="search")
    evidence = gather_evidence(one)
    rows = {row.engine: row for row in summary_rows(evidence, conclude(evidence))}
    assert (rows["qdrant"].verdict, rows["qdrant"].few_queries) == ("not judged", 3)
    assert rows["faiss-hnsw"].few_queries is None
    console = Console(width=140, file=io.StringIO())
    console.print(summary_of(one, 140))
    assert "0.500 (of 3)" in console.file.getvalue()  # type: ignore[attr-defined]


def test_a_short_window_of_another_task_does_not_undo_a_decision() -> None:
    """The offered load asked 17 queries, the closed loop 2,000: too close to call there, and said so."""
    base = setting(build(engines=TWO), lambda c: with_metrics(c, recall_at_10=0.99), 64, task="throughput")
    short = on(
        base, lambda c: with_metrics(c, recall_at_10=1.0, recall_sd=0.0, queries=17.0), task="offered-load"
    )
    decision = decide(short)
    assert decision.pick is not None
    assert decision.pick.engine == "faiss-hnsw"
    assert any("17 queries, at least 30 are needed" in text for text in decision.caveats)
