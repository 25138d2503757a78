"""Requirements in every task and load, and the defaults."""

from __future__ import annotations

import pytest

from harness.results.metrics import COUNTS, TABLE, spec
from harness.results.result import RunResult
from reports.decide.decision import decide
from tests.unit.example_results import build, edit, failed, with_metrics
from tests.unit.reports.decide.deciding import TWO, check, on, setting, standing

# The two with a recall that every setting meets.
GOOD = TWO | {"faiss-hnsw": (*TWO["faiss-hnsw"][:4], 0.99)}
WRONG_ANSWERS = [
    (task, name)
    for name in COUNTS
    for task, kind in (("throughput", "search"), ("offered-load", "search"), ("updates", "updates"))
    if spec(name).default == "== 0" and kind in spec(name).tasks
]


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
    assert check(decide(unknown), "errors").status == "fails"
    none = on(base, lambda c: with_metrics(c, errors=0.0, queries=None), task="throughput", trial=1)
    assert check(decide(none), "errors").status == "holds"


def test_a_count_may_have_to_be_large() -> None:
    decision = decide(build(engines=TWO, requirements=("errors >= 1", "recall >= 0.95")))
    assert check(decision, "errors").value == 0
    assert check(decision, "errors").status == "fails"


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
    found = check(decide(build(engines=TWO, requirements=("freshness.p99 < 1s",))), "freshness_p99_ms")
    assert found.sentence.startswith("P99 freshness not measured (task updates: 120 requests are too few")
