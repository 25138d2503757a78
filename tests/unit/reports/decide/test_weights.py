"""The mix of filters: equal, or as the scenario weighs it."""

from __future__ import annotations

from typing import Any

import pytest

from reports.decide.decision import decide
from reports.decide.evidence import gather_evidence
from reports.page.page import page
from tests.unit.reports.decide.deciding import GRAPH_AND_SCAN, by_filter, standing


@pytest.mark.parametrize(
    ("weights", "picked", "score"),
    [
        (None, "scan", 2 / (1 / 1000 + 1 / 2000)),
        ({"none": 1.0, "1pct": 1.0}, "scan", 2 / (1 / 1000 + 1 / 2000)),
        ({"none": 9.0, "1pct": 1.0}, "graph", 10 / (9 / 4000 + 1 / 500)),
        ({"none": 1.0}, "graph", 4000.0),
        ({"1pct": 3.0, "none": 0.0}, "scan", 2000.0),
    ],
)
def test_a_throughput_is_the_weighted_harmonic_mean(weights: Any, picked: str, score: float) -> None:
    decision = decide(by_filter(GRAPH_AND_SCAN, weights=weights))
    assert decision.pick is not None
    assert decision.pick.engine == picked
    assert decision.pick.score == pytest.approx(score, rel=0.005)
    assert decision.win_share == 1.0


def test_a_cost_is_the_weighted_arithmetic_mean() -> None:
    decision = decide(
        by_filter(GRAPH_AND_SCAN, weights={"none": 9, "1pct": 1}, objective="min cpu_s_per_1000")
    )
    assert decision.pick is not None
    assert decision.pick.engine == "graph"
    assert decision.pick.score == pytest.approx(0.9 * 0.25 + 0.1 * 2.0, rel=0.005)


def test_the_sentence_says_which_mix_it_was() -> None:
    three = {engine: rates | {"10pct": 900.0} for engine, rates in GRAPH_AND_SCAN.items()}
    said = {
        "over an equal mix of the 3 filters": None,
        "over the scenario's mix of the 3 filters": {"none": 3, "10pct": 1, "1pct": 1},
        "over the scenario's mix of 2 filters": {"none": 3, "10pct": 1},
        "with filter 1pct": {"1pct": 1},
    }
    for text, weights in said.items():
        assert text in decide(by_filter(three, weights=weights)).sentence
    alone = decide(by_filter({"a": {"none": 10.0}, "b": {"none": 20.0}}, weights={"none": 1})).sentence
    assert "with filter" not in alone
    assert "mix" not in alone


def test_a_filter_without_a_weight_has_to_meet_the_requirements_all_the_same() -> None:
    result = by_filter(GRAPH_AND_SCAN, weights={"none": 1})
    cells = [
        cell.model_copy(update={"metrics": cell.metrics | {"recall_at_10": 0.5}})
        if (cell.engine, cell.filter) == ("graph", "1pct") else cell
        for cell in result.measurements
    ]  # fmt: skip
    decision = decide(result.model_copy(update={"measurements": cells}))
    assert decision.pick is not None
    assert decision.pick.engine == "scan"
    assert standing(decision, "graph").status == "eliminated"


def test_weights_of_what_was_not_measured_decide_nothing() -> None:
    decision = decide(by_filter(GRAPH_AND_SCAN, weights={"brand": 1.0}))
    assert decision.verdict == "no decision"
    assert decision.sentence == "No decision: no filter that has a weight in the mix was measured."
    assert page(gather_evidence(by_filter(GRAPH_AND_SCAN, weights={"brand": 1.0})), decision)["rows"]


def test_the_page_names_the_shares_of_the_mix() -> None:
    result = by_filter(GRAPH_AND_SCAN, weights={"none": 9, "1pct": 1})
    evidence = gather_evidence(result)
    content = page(evidence, decide(result))
    assert "The mix is the scenario's: none 90 % and 1pct 10 %." in content["limitations"]
    rows = {row.engine: row for row in content["rows"]}
    assert rows["scan"].score == "1,050 queries/s"
    # Mean CPU time over the same mix: 0.9 of 1 s and 0.1 of 0.5 s per 1,000 queries.
    assert rows["scan"].costs[0].text.startswith("0.948")
