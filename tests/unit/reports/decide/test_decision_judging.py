"""Requirements in every task and load, the defaults, and what few queries or one trial leave open."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from harness.results.metrics import COUNTS, TABLE, spec
from harness.results.result import Measurement, RunResult
from harness.results.stats import wilson_bounds
from reports.decide.decision import Decision, Standing, conclude, decide
from reports.decide.evidence import gather_evidence
from reports.decide.requirements import Check
from reports.page.summary import summary_rows
from tests.unit.example_results import ENGINES, build, edit, failed, with_metrics
from tests.unit.reports.summaries import summary_of

TWO = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}
# The same with a recall that every setting meets.
GOOD = TWO | {"faiss-hnsw": (*TWO["faiss-hnsw"][:4], 0.99)}
WRONG_ANSWERS = [
    (task, name)
    for name in COUNTS
    for task, kind in (("throughput", "search"), ("offered-load", "search"), ("updates", "updates"))
    if spec(name).default == "== 0" and kind in spec(name).tasks
]


def on(
    result: RunResult, alter: Callable[[Measurement], Measurement], engine: str = "faiss-hnsw", **at: Any
) -> RunResult:
    """The result with `alter` applied to one engine's cells whose attributes are as given."""

    def change(cell: Measurement) -> Measurement:
        chosen = cell.engine == engine and all(getattr(cell, key) == value for key, value in at.items())
        return alter(cell) if chosen else cell

    return edit(result, change)


def setting(result: RunResult, alter: Callable[[Measurement], Measurement], ef: int, **at: Any) -> RunResult:
    """The same for the cells of faiss-hnsw at one setting."""
    return on(
        result, lambda cell: alter(cell) if cell.params.get("search") == {"efSearch": ef} else cell, **at
    )


def standing(decision: Decision, engine: str = "faiss-hnsw") -> Standing:
    return next(entry for entry in decision.standings if entry.engine == engine)


def entry(decision: Decision, metric: str, engine: str = "faiss-hnsw") -> Check:
    return next(check for check in standing(decision, engine).checks if check.metric == metric)


@pytest.mark.parametrize("task", ["throughput", "offered-load", "updates"])
def test_recall_counts_in_every_task(task: str) -> None:
    """An engine that answers the previous request's hits under one load only, or finds stale vectors after updates."""
    good = build(engines=GOOD)
    bad = on(good, lambda c: with_metrics(c, recall_at_10=0.1), task=task)
    assert standing(decide(good)).status == "pick"
    out = standing(decide(bad))
    assert out.status == "eliminated"
    assert "recall@10 is 0.100" in out.sentence
    assert (("task updates" if task == "updates" else "filter") in out.sentence) is True


@pytest.mark.parametrize(("task", "metric"), WRONG_ANSWERS)
def test_a_wrong_answer_anywhere_eliminates_the_engine(task: str, metric: str) -> None:
    """Whatever the kind, the task and the setting, and although the scenario names none of these counts."""
    clean = edit(
        build(engines=TWO, requirements=("recall >= 0.95",)), lambda c: with_metrics(c, **{metric: 0.0})
    )
    assert standing(decide(clean)).status == "pick"
    slow = [c for c in clean.measurements if c.engine == "faiss-hnsw" and c.task == task][-1]
    bad = edit(clean, lambda c: with_metrics(c, **{metric: 1.0}) if c.key == slow.key else c)
    decision = decide(bad)
    assert standing(decision).status == "eliminated"
    assert f"1 {spec(metric).label}" in standing(decision).sentence
    assert f"{metric} == 0" in decision.defaults


def test_time_outs_at_the_operating_point_count_against_settings_that_were_not_tried_there() -> None:
    """40 % of the requests of the offered load timed out: nothing says that another setting would do better."""
    base = build(engines=TWO)
    late = on(
        base, lambda c: with_metrics(c, timeouts=0.4 * (c.metrics["queries"] or 0)), task="offered-load"
    )
    out = standing(decide(late))
    assert out.status == "eliminated"
    assert "40 % timeouts" in out.sentence
    assert "(needs timeouts <= 0.1%)" in out.sentence
    assert "at 500/s" in out.sentence or "at 50/s" in out.sentence
    tried = [
        c.params["search"] for c in late.measurements if c.task == "offered-load" and c.engine == "faiss-hnsw"
    ]
    assert {"efSearch": 256} not in tried
    assert decide(late).pick is not None
    assert decide(late).pick.engine == "qdrant"  # type: ignore[union-attr]


def test_one_time_out_in_ten_thousand_is_accepted() -> None:
    base = build(engines=TWO)
    rare = on(base, lambda c: with_metrics(c, timeouts=1.0, queries=10_000.0), kind="search")
    assert standing(decide(rare)).status == "pick"
    strict = build(engines=TWO, requirements=("recall >= 0.95", "timeouts == 0"))
    rare = on(strict, lambda c: with_metrics(c, timeouts=1.0, queries=10_000.0), kind="search")
    assert standing(decide(rare)).status == "eliminated"


@pytest.mark.parametrize(("changed", "status"), [(20.0, "eliminated"), (5.0, "pick")])
def test_changed_answers_are_a_share_of_those_looked_at_again(changed: float, status: str) -> None:
    """Few of the answers of a window are: 20 of 64 are a third, however many requests there were."""
    base = build(engines=TWO, requirements=("recall >= 0.95", "changed_answers <= 10%"))
    counted = edit(base, lambda c: with_metrics(c, changed_answers=0.0, rechecked_answers=64.0))
    unsteady = on(
        counted, lambda c: with_metrics(c, changed_answers=changed, queries=100_000.0), kind="search"
    )
    out = standing(decide(unsteady))
    assert out.status == status
    assert ("31 % answers that changed once returned" in out.sentence) == (status == "eliminated")


def test_a_recall_below_the_floor_at_the_operating_point_is_that_settings() -> None:
    """Slightly below it says nothing of settings with more effort, far below it that the load breaks the engine."""
    base = build(engines=TWO)
    slightly = setting(base, lambda c: with_metrics(c, recall_at_10=0.946), 64, task="offered-load")
    decision = decide(slightly)
    assert decision.pick is not None
    assert (decision.pick.engine, decision.pick.search) == ("faiss-hnsw", {"efSearch": 256})
    base = build(engines=GOOD)
    broken = setting(base, lambda c: with_metrics(c, recall_at_10=0.5), 64, task="offered-load")
    out = standing(decide(broken))
    assert out.status == "eliminated"
    assert "0.500" in out.sentence


def test_an_update_task_that_the_engine_cannot_do_says_nothing_of_recall() -> None:
    base = build(engines=TWO)
    unable = on(base, lambda c: failed(c, "unsupported: it cannot delete items"), kind="updates")
    assert standing(decide(unable)).status == "pick"
    crashed = on(base, lambda c: failed(c, "Boom"), kind="updates")
    out = standing(decide(crashed))
    assert out.status == "eliminated"
    assert "Boom" in out.sentence


def test_defaults_are_named_and_end_where_the_scenario_speaks() -> None:
    decision = decide(build(engines=TWO, requirements=("violations <= 3",)))
    assert "violations == 0" not in decision.requirements
    assert "recall >= 0.95" in decision.defaults
    assert "errors <= 0.1%" in decision.defaults
    assert set(decision.defaults) < set(decision.requirements)
    asked = decide(build(engines=TWO, requirements=("recall >= 0", "errors == 0")))
    assert "recall >= 0.95" not in asked.requirements
    assert "errors == 0" not in asked.defaults


def test_results_of_earlier_versions_are_not_asked_for_counts_that_they_lack() -> None:
    """No cell has `wrong_scores`: its default does not apply. Where some have it, the others lack it."""
    old = build(engines=TWO)
    decision = decide(old)
    assert decision.verdict == "pick"
    assert "wrong_scores == 0" not in decision.requirements
    partly = on(old, lambda c: with_metrics(c, wrong_scores=0.0), engine="qdrant", kind="search")
    out = standing(decide(partly))
    assert out.status == "not judged"
    assert "answers with wrong scores not measured" in out.sentence


def test_a_share_needs_something_to_be_a_share_of() -> None:
    """Where the number of requests is not known, one error is too many."""
    base = build(engines=TWO)
    unknown = on(base, lambda c: with_metrics(c, errors=1.0, queries=None), task="throughput", trial=1)
    assert entry(decide(unknown), "errors").status == "fails"
    none = on(base, lambda c: with_metrics(c, errors=0.0, queries=None), task="throughput", trial=1)
    assert entry(decide(none), "errors").status == "holds"


def test_a_count_may_have_to_be_large() -> None:
    decision = decide(build(engines=TWO, requirements=("errors >= 1", "recall >= 0.95")))
    assert entry(decision, "errors").value == 0
    assert entry(decision, "errors").status == "fails"


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
    check = entry(decision, "recall_at_10")
    assert (check.status, check.met, check.queries) == (status, True, int(queries))
    assert (decision.pick is None) == (queries == 12)
    if queries == 12:
        assert decision.leader is not None
        assert "its recall was taken from too few queries (12 with filter" in decision.sentence
        assert check.low is not None
        assert check.low < 0.8
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
    assert entry(decide(one), "recall_at_10", "qdrant").status == "too close to call"


def test_distinct_queries_count_and_never_more_than_the_data_has() -> None:
    base = build(engines=TWO)
    repeated = on(base, lambda c: with_metrics(c, queries=50_000.0), kind="search")
    assert entry(decide(repeated), "recall_at_10").queries == 2000
    distinct = on(
        base, lambda c: with_metrics(c, queries=50_000.0, distinct_queries=40.0, judged_queries=900.0)
    )
    assert entry(decide(distinct), "recall_at_10").queries == 40


def test_recall_without_any_count_rests_on_its_trials() -> None:
    base = build(engines=TWO, arrivals=False)
    bare = edit(base, lambda c: with_metrics(c, queries=None, recall_sd=None))
    check = entry(decide(bare), "recall_at_10")
    assert check.queries is None
    assert check.low is not None


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
    assert entry(decide(base), "latency_p50_ms").status == "holds"
    once = edit(base, lambda c: None if c.task == "offered-load" and c.trial else c)
    check = entry(decide(once), "latency_p50_ms")
    assert (check.status, check.met, check.reason) == ("too close to call", True, "one trial")


def test_requirements_that_no_recall_can_break_hold_however_few_the_queries() -> None:
    base = build(engines=TWO, requirements=("recall >= 0",))
    few = edit(base, lambda c: with_metrics(c, queries=3.0))
    assert entry(decide(few), "recall_at_10").status == "holds"


def empty(result: RunResult) -> RunResult:
    """The run with nothing to match for the filter `nothing`."""
    filters = [
        entry | (dict.fromkeys(("selectivity_mean", "selectivity_min", "selectivity_max"), 0.0))
        if entry["name"] == "nothing"
        else entry
        for entry in result.dataset["filters"]
    ]
    return result.model_copy(update={"dataset": result.dataset | {"filters": filters}})


def test_filters_that_match_nothing_decide_nothing() -> None:
    """The engine that is fastest at finding nothing is not picked for it."""
    base = empty(build(engines=GOOD, filters={"none": 1.0, "nothing": 0.1}))
    quick = edit(
        base,
        lambda c: (
            with_metrics(c, throughput_qps=1e6) if c.filter == "nothing" and c.engine == "qdrant" else c
        ),
    )
    decision = decide(quick)
    assert decision.pick is not None
    assert decision.pick.engine == "faiss-hnsw"
    assert any("Nothing matches filter nothing" in text for text in decision.caveats)
    only = decide(empty(build(engines=TWO, filters={"nothing": 0.1})))
    assert only.verdict == "no decision"
    assert "nothing matches any of the filters" in only.sentence
    assert any("Nothing matches filter nothing" in text for text in only.caveats)


def test_every_default_is_a_threshold_of_its_metric() -> None:
    defaults = {known.name: known.default for known in TABLE if known.default}
    assert defaults["recall_at_{k}"] == ">= 0.95"
    assert not any(known.engine_wide for known in TABLE if not known.default)
    for known in TABLE:
        if known.default == "== 0":
            assert known.engine_wide, known.name
        if (known.default or "").endswith("%"):
            assert known.is_count, known.name


def test_updates_that_are_not_found_again_eliminate_an_engine() -> None:
    """A few are missed by approximate search; one in ten is not."""
    base = build(engines=GOOD)
    some = edit(
        base,
        lambda c: with_metrics(c, missed_updates=3.0, checked_updates=100.0) if c.kind == "updates" else c,
    )
    assert standing(decide(some)).status == "pick"
    many = on(some, lambda c: with_metrics(c, missed_updates=10.0), kind="updates", trial=2)
    out = standing(decide(many))
    assert out.status == "eliminated"
    assert "10 % updated items not found in task updates" in out.sentence


def test_what_was_not_measured_says_why() -> None:
    check = entry(decide(build(engines=TWO, requirements=("freshness.p99 < 1s",))), "freshness_p99_ms")
    assert check.sentence.startswith("P99 freshness not measured (task updates: 120 requests are too few")


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
