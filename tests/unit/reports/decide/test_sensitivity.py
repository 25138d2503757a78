"""What would make another engine lead."""

from __future__ import annotations

import numpy as np
import pytest

from harness.results.result import RunResult
from reports.decide.decision import decide
from reports.decide.evidence import gather_evidence
from reports.decide.insights.remix import Remix
from reports.decide.insights.sensitivity import Alternative, FilterWeight, Sensitivity, sensitivity
from tests.simulations.decision_runs import World, simulated_run
from tests.unit.example_results import build, edit, realistic, with_metrics
from tests.unit.reports.decide.deciding import GRAPH_AND_SCAN, by_filter
from tests.unit.reports.decide.test_latency_objective import offered


def found(result: RunResult) -> Sensitivity:
    return decide(result).sensitivity


def weights(result: RunResult) -> dict[str, FilterWeight]:
    return {row.filter: row for row in found(result).weights}


def by_requirement(rows: list[Alternative]) -> dict[str, Alternative]:
    return {row.requirement: row for row in rows}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("trials", [1, 2, 3])
def test_the_present_mix_is_ranked_as_the_decision_ranks_it(seed: int, trials: int) -> None:
    """Several settings and filters, noise that changes the choice, a trial that some settings lack."""
    rng = np.random.default_rng(seed)
    world = World(grids=(1, 8, 5), trials=trials, filters=3, cell=0.1)
    result = edit(
        simulated_run(world, rng),
        lambda c: None if c.engine != "engine-0" and c.trial == 2 and c.params["search"]["ef"] % 2 else c,
    )
    for objective in ("max throughput_qps", "min cpu_s_per_1000"):
        costs = edit(
            result, lambda c: with_metrics(c, cpu_s_per_1000=1000 / (c.metrics["throughput_qps"] or 1))
        )
        decision = costs.scenario["decision"] | {
            "objective": objective,
            "weights": {"filter-0": 3, "filter-2": 1},
        }
        evidence = gather_evidence(
            costs.model_copy(update={"scenario": costs.scenario | {"decision": decision}})
        )
        remix = Remix(evidence)
        (leader,) = remix.leaders(remix.present[None], np.array([c.met for c in evidence.candidates]))
        first, second = evidence.ranking[:2]
        assert leader is not None
        assert leader.setting == first.configuration
        assert leader.score == pytest.approx(first.score)
        assert leader.ahead == pytest.approx(evidence.objective.ratio(first.score or 0, second.score or 0))


def test_a_filter_flips_the_pick_from_a_share_on() -> None:
    """Equal times of the mix: w / 4000 + (1 - w) / 500 = w / 1000 + (1 - w) / 2000, so w = 2 / 3."""
    rows = weights(by_filter(GRAPH_AND_SCAN))
    none, narrow = rows["none"], rows["1pct"]
    assert none.share == narrow.share == 0.5
    assert none.above is not None
    assert none.above.leader.engine == "graph"
    assert none.above.share == pytest.approx(0.67)
    assert none.below is None
    assert narrow.above is None
    assert narrow.below is not None
    assert narrow.below.share == pytest.approx(0.33)
    assert none.sentence == "none (50 % of the mix): from 67 % on graph leads"
    assert narrow.sentence == "1pct (50 % of the mix): at 33 % or less graph leads"


def test_a_filter_that_flips_the_pick_only_where_nobody_asks_it_is_said_so() -> None:
    rates = {"graph": {"none": 1100.0, "1pct": 10.0}, "scan": {"none": 1000.0, "1pct": 1000.0}}
    narrow = weights(by_filter(rates))["1pct"]
    assert narrow.sentence == "1pct (50 % of the mix): without it graph leads"


def test_a_filter_that_flips_nothing_is_said_to() -> None:
    rates = {"a": {"none": 9.0, "1pct": 8.0}, "b": {"none": 3.0, "1pct": 2.0}}
    result = by_filter(rates)
    assert all(row.above is None and row.below is None for row in weights(result).values())
    assert weights(result)["none"].sentence.endswith("the leader stays at any share up to 98 %")
    assert "a leads whichever filter counts more, up to 98 % of the mix." in found(result).sentences
    alone = by_filter({"a": {"none": 10.0}, "b": {"none": 20.0}})
    assert found(alone).weights == []


def test_a_filter_that_counts_nothing_yet_may_flip_the_pick() -> None:
    rows = weights(by_filter(GRAPH_AND_SCAN, weights={"none": 1}))
    assert rows["1pct"].share == 0.0
    assert rows["1pct"].above is not None
    assert rows["1pct"].above.share == pytest.approx(0.34)
    # Without `none`, nothing says how the others would share the mix: alike.
    assert rows["none"].below is not None
    assert rows["none"].below.leader.engine == "scan"


def test_a_floor_of_recall_changes_who_is_eligible() -> None:
    recalls = {"graph": 0.96, "scan": 1.0}
    result = edit(
        by_filter(GRAPH_AND_SCAN, weights={"none": 1}),
        lambda c: (
            with_metrics(c, recall_at_10=recalls[c.engine], recall_sd=0.01) if c.kind == "search" else c
        ),
    )
    rows = by_requirement(found(result).recall)
    assert list(rows) == [f"recall >= {floor}" for floor in ("0.9", "0.95", "0.98", "0.99", "0.999")]
    assert [row.asked for row in rows.values()] == [False, True, False, False, False]
    led = {text: row.leader.engine for text, row in rows.items() if row.leader}
    assert led == dict.fromkeys(("recall >= 0.9", "recall >= 0.95"), "graph") | dict.fromkeys(
        ("recall >= 0.98", "recall >= 0.99", "recall >= 0.999"), "scan"
    )
    assert [row.changes for row in rows.values()] == [False, False, True, True, True]
    assert rows["recall >= 0.9"].ahead == pytest.approx(4.0, rel=0.01)
    assert rows["recall >= 0.999"].ahead is None
    assert "scan leads with recall >= 0.98, recall >= 0.99 and recall >= 0.999." in found(result).sentences


def test_the_scenarios_own_floor_is_among_them_and_nobody_may_reach_one() -> None:
    engines = {"a": ("a", {}, {}, 900.0, 0.97), "b": ("b", {}, {}, 90.0, 0.97)}
    result = build(requirements=("recall >= 0.93",), engines=engines)
    rows = by_requirement(found(result).recall)
    assert rows["recall >= 0.93"].asked
    assert rows["recall >= 0.999"].leader is None
    assert rows["recall >= 0.999"].changes
    assert any(text.startswith("Nobody is eligible with recall >= ") for text in found(result).sentences)
    # What else is asked for holds at every floor.
    faulty = edit(
        result, lambda c: with_metrics(c, violations=1.0) if c.engine == "a" and c.kind == "search" else c
    )
    assert {row.leader.engine for row in found(faulty).recall if row.leader} == {"b"}


def test_a_limit_on_p99_changes_who_is_eligible() -> None:
    """steady takes 10 and 16 ms, brittle 4 and 180 ms without a filter, at the two rates."""
    cheap = edit(
        offered("max throughput_qps", closed=True),
        lambda c: with_metrics(c, throughput_qps=(9000.0 if c.engine == "brittle" else 900.0) * (1 + 0.002 * c.trial))
        if c.executor == "closed_loop" else c,
    )  # fmt: skip
    rows = by_requirement(found(cheap).latency)
    assert list(rows) == [f"latency.p99 < {limit}ms" for limit in (20, 50, 100, 200)]
    assert [row.leader.engine for row in rows.values() if row.leader] == [
        "steady",
        "steady",
        "steady",
        "brittle",
    ]
    assert [row.changes for row in rows.values()] == [True, True, True, False]
    assert (
        "steady leads with latency.p99 < 20ms, latency.p99 < 50ms and latency.p99 < 100ms."
        in found(cheap).sentences
    )


def test_without_a_p99_or_a_mix_nothing_is_said_of_them() -> None:
    assert found(by_filter(GRAPH_AND_SCAN)).latency == []
    assert sensitivity(gather_evidence(by_filter(GRAPH_AND_SCAN, weights={"brand": 1}))) == Sensitivity()
    nobody = edit(
        by_filter(GRAPH_AND_SCAN), lambda c: with_metrics(c, recall_at_10=0.92) if c.kind == "search" else c
    )
    told = found(nobody)
    assert told.weights == []
    assert told.sentences == []
    assert by_requirement(told.recall)["recall >= 0.9"].leader is not None


def test_a_p99_that_is_missing_at_a_lower_rate_leaves_nothing_to_limit() -> None:
    """At 50/s there were too few requests; who fails at 500/s anyhow is no reason to show limits that nobody meets."""
    result = edit(
        offered(),
        lambda c: with_metrics(c, {"latency_p99_ms": "too few"}, latency_p99_ms=None)
        if c.params.get("load", {}).get("rate") == 50.0 else c,
    )  # fmt: skip
    assert found(result).latency == []
    assert found(offered()).latency


def test_sensitivity_is_in_the_file_for_programs() -> None:
    decision = decide(realistic())
    data = decision.model_dump(mode="json")
    assert data["sensitivity"]["weights"][0]["filter"] == "none"
    assert {row["filter"] for row in data["by_filter"]} == {"none", "10pct", "1pct", "brand"}
    assert data["split"].startswith("faiss-ivf wins where filters are narrow")


def test_an_engine_that_answers_nothing_with_a_filter_leads_no_mix_of_it() -> None:
    stuck = edit(
        by_filter(GRAPH_AND_SCAN, weights={"none": 9, "1pct": 1}),
        lambda c: with_metrics(c, throughput_qps=0.0) if (c.engine, c.filter) == ("graph", "1pct") else c,
    )
    assert weights(stuck)["none"].above is None  # it would lead at 100 % alone, which is no mix


def test_who_has_no_rival_is_told_from_who_is_ahead_of_a_zero() -> None:
    alone = by_requirement(found(by_filter({"a": {"none": 9.0, "1pct": 8.0}})).recall)["recall >= 0.95"]
    assert (alone.ahead, alone.alone) == (None, True)
    stuck = edit(
        by_filter(GRAPH_AND_SCAN),
        lambda c: with_metrics(c, throughput_qps=0.0) if c.kind == "search" and c.engine == "scan" else c,
    )
    zero = by_requirement(found(stuck).recall)["recall >= 0.95"]
    assert (zero.ahead, zero.alone) == (None, False)
