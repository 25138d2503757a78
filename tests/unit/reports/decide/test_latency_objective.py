"""A latency under the highest offered rate as the objective; scenarios without a closed loop."""

from __future__ import annotations

from typing import Any

import pytest

from harness.results.result import Measurement, RunResult
from reports.decide.decision import conclude, decide
from reports.decide.evidence import gather_evidence
from reports.page.html import render
from reports.page.summary import summary_rows
from reports.page.views import headline
from tests.unit.example_results import build, edit, with_metrics
from tests.unit.reports.decide.deciding import standing
from tests.unit.reports.summaries import summary_of

# P99 in ms at the lower and the higher of the two rates.
LATENCIES = {"steady": (5.0, 8.0), "brittle": (2.0, 90.0)}


def offered(objective: str = "min latency_p99_ms", *, closed: bool = False, **decision: Any) -> RunResult:
    """A run of two engines with these latencies; without a closed loop unless `closed`."""
    engines = {name: (name, {}, {}, 3000.0, 1.0) for name in LATENCIES}
    result = build(engines=engines, filters={"none": 1.0, "10pct": 0.1}, objective=objective)

    def measured(cell: Measurement) -> Measurement | None:
        if cell.executor == "closed_loop":
            return cell if closed else None
        if cell.executor != "arrival_rate":
            return cell
        wide = 2.0 if cell.filter == "none" else 1.0
        p99 = LATENCIES[cell.engine][cell.params["load"]["rate"] == 500.0] * wide * (1 + 0.01 * cell.trial)
        return with_metrics(cell, latency_p99_ms=p99, queries=5000.0)

    scenario = result.scenario | {"decision": result.scenario["decision"] | decision}
    return edit(result, measured).model_copy(update={"scenario": scenario})


@pytest.mark.parametrize("closed", [False, True])
def test_latencies_are_compared_at_the_highest_rate(closed: bool) -> None:
    decision = decide(offered(closed=closed))
    assert decision.pick is not None
    assert decision.pick.engine == "steady"
    assert decision.pick.score == pytest.approx(12.0, rel=0.02)
    assert (
        "its P99 latency is 12.1 ms at 500 queries/s over an equal mix of the 2 filters" in decision.sentence
    )
    assert "while that of brittle is 11.2 times as long" in decision.sentence
    assert all("while that of brittle is 11.3 times as long" in one.sentence for one in decision.by_filter)


def test_the_mix_of_latencies_is_weighted() -> None:
    decision = decide(offered(weights={"10pct": 3, "none": 1}))
    assert decision.pick is not None
    assert decision.pick.score == pytest.approx(0.75 * 8 + 0.25 * 16, rel=0.02)


def test_a_rate_that_only_one_engine_was_measured_at_compares_nothing() -> None:
    """Of the highest rate only `brittle` has a figure; the rate below it is what both have."""
    result = edit(
        offered(),
        lambda c: None if c.engine == "steady" and c.params.get("load", {}).get("rate") == 500.0 else c,
    )
    assert gather_evidence(result).cells.objective_rate == 50.0
    decision = decide(result)
    assert decision.pick is not None
    assert decision.pick.engine == "brittle"


def test_a_throughput_needs_a_closed_loop_and_says_so() -> None:
    decision = decide(offered("max throughput_qps"))
    assert decision.verdict == "no decision"
    assert (
        "no search with a closed loop was measured, so there is no throughput to compare" in decision.sentence
    )
    assert "'objective: min latency_p99_ms' compares engines" in decision.sentence
    assert decide(offered("max throughput_qps", closed=True)).leader is not None


def test_a_latency_needs_an_offered_rate_and_says_so() -> None:
    decision = decide(build(objective="min latency_p99_ms", arrivals=False))
    assert decision.verdict == "no decision"
    assert "no search with an offered rate was measured" in decision.sentence


def test_a_cost_is_that_under_an_offered_rate_where_there_is_no_closed_loop() -> None:
    costs = {"steady": 2.0, "brittle": 1.0}
    result = edit(
        offered("min cpu_s_per_1000"),
        lambda c: (
            with_metrics(c, cpu_s_per_1000=costs[c.engine] * (1 + 0.01 * c.trial))
            if c.kind == "search"
            else c
        ),
    )
    decision = decide(result)
    assert decision.pick is not None
    assert decision.pick.engine == "brittle"
    assert "of CPU time per 1,000 queries at 500 queries/s" in decision.sentence


def test_a_percentile_of_too_few_requests_is_not_judged() -> None:
    result = edit(
        offered(),
        lambda c: with_metrics(c, {"latency_p99_ms": "fewer than 1,000 requests"}, latency_p99_ms=None)
        if c.engine == "brittle" else c,
    )  # fmt: skip
    assert standing(decide(result), "brittle").status == "not judged"
    assert "fewer than 1,000 requests" in standing(decide(result), "brittle").sentence


def test_table_and_page_show_the_latency_that_decides() -> None:
    from rich.console import Console

    result = offered()
    evidence = gather_evidence(result)
    rows = {row.engine: row for row in summary_rows(evidence, decide(result))}
    assert rows["steady"].p99_ms == pytest.approx(12.0, rel=0.02)
    assert rows["steady"].verdict == "✔ pick"
    console = Console(width=160)
    with console.capture() as captured:
        console.print(summary_of(result, 160))
    assert "P99 latency at 500 queries/s" in captured.get()
    text = render(evidence, decide(result))
    assert "No search with a closed loop was measured." in text
    assert "</a>: no search with a closed loop was measured." in text
    assert "P99 latency (mix)" in text
    loops = gather_evidence(offered(closed=True)).cells.closed_loop
    assert loops.objective_task == "throughput"
    assert len(loops.candidates) == len(LATENCIES)


def test_a_latency_is_said_to_be_times_lower() -> None:
    evidence = gather_evidence(offered())
    facts = headline(evidence, conclude(evidence)).facts
    assert facts[1].value == "11.2 times lower"
    assert facts[1].meaning.startswith("than the latency of the runner-up, brittle; 97 % interval 11 to ")
