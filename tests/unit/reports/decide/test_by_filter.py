"""Who wins with each filter, by how much, and in one sentence."""

from __future__ import annotations

import pytest

from harness.results.result import Measurement, RunResult
from reports.decide.decision import decide
from reports.decide.insights.by_filter import FilterWinner, split_sentence
from tests.unit.example_results import build, edit, realistic, with_metrics
from tests.unit.reports.decide.deciding import GRAPH_AND_SCAN, by_filter

EVEN = {"graph": {"none": 1000.0, "1pct": 500.0}, "scan": {"none": 1001.0, "1pct": 2000.0}}


def winners(result: RunResult) -> dict[str, FilterWinner]:
    return {one.filter: one for one in decide(result).by_filter}


def test_each_filter_has_its_winner_with_figure_and_margin() -> None:
    found = winners(by_filter(GRAPH_AND_SCAN))
    assert list(found) == ["none", "1pct"]  # from the widest to the narrowest
    wide, narrow = found.values()
    assert (wide.winner.engine, narrow.winner.engine) == ("graph", "scan")
    assert wide.winner.score == pytest.approx(4000.0, rel=0.005)
    assert (wide.selectivity, narrow.selectivity, wide.share, narrow.share) == (1.0, 0.01, 0.5, 0.5)
    assert narrow.runner_up is not None
    assert narrow.runner_up.engine == "graph"
    assert narrow.margin is not None
    assert narrow.margin.low is not None
    assert narrow.margin.ratio == pytest.approx(4.0, rel=0.01)
    assert 1 < narrow.margin.low < narrow.margin.ratio
    assert narrow.tied == []
    assert narrow.sentence.startswith(
        "With 1pct scan wins: 2,000 queries/s, 4 times as many as graph (97 % interval"
    )


def test_what_noise_explains_is_no_win() -> None:
    noisy = edit(
        by_filter(EVEN),
        lambda c: with_metrics(c, throughput_qps=(c.metrics["throughput_qps"] or 0) * (1 + 0.05 * (c.trial % 2)))
        if c.kind == "search" else c,
    )  # fmt: skip
    found = winners(noisy)
    assert found["none"].tied == ["graph"]
    assert "is not told apart from graph (1,020 queries/s)" in found["none"].sentence
    assert found["1pct"].tied == []
    assert decide(noisy).split == "scan wins with 1pct; graph and scan are not told apart with none."
    once = winners(edit(by_filter(GRAPH_AND_SCAN), lambda c: c if c.trial == 0 else None))
    assert once["1pct"].tied == ["graph"]


def test_the_next_engine_is_told_beside_the_next_entry() -> None:
    """Of two entries of one adapter the second is next; another adapter is far behind."""
    rates = {"hnsw": 4000.0, "ivf": 3000.0, "other": 500.0}
    result = by_filter({engine: {"none": rate, "1pct": rate} for engine, rate in rates.items()})
    same = edit(
        result,
        lambda c: c.model_copy(update={"adapter": "other" if c.engine == "other" else "faiss"}),
    )
    for one in decide(same).by_filter:
        assert one.runner_up is not None
        assert one.rival is not None
        assert one.rival_margin is not None
        assert (one.winner.engine, one.runner_up.engine, one.rival.engine) == ("hnsw", "ivf", "other")
        assert one.rival_margin.ratio == pytest.approx(8.0, rel=0.01)


def test_only_what_meets_every_requirement_wins() -> None:
    """scan is fastest with 1pct, but its recall without a filter is too low to be used at all."""
    poor = edit(
        by_filter(GRAPH_AND_SCAN),
        lambda c: with_metrics(c, recall_at_10=0.5) if (c.engine, c.filter) == ("scan", "none") else c,
    )
    found = winners(poor)
    assert {one.winner.engine for one in found.values()} == {"graph"}
    assert found["1pct"].runner_up is None
    assert found["1pct"].rival is None
    assert found["1pct"].sentence == "With 1pct only graph is eligible: 501 queries/s."
    nobody = edit(poor, lambda c: with_metrics(c, recall_at_10=0.5) if c.kind == "search" else c)
    assert winners(nobody) == {}
    assert decide(nobody).split == ""


def test_what_only_lacks_a_need_is_told_where_it_would_be_ahead() -> None:
    """`library` is faster with the narrow filter and slower without one, but keeps nothing after a crash."""
    rates = GRAPH_AND_SCAN | {"library": {"none": 500.0, "1pct": 9000.0}}
    result = by_filter(rates, needs=["durable"])
    able = {name: {"version": "1", "capabilities": {"durable": name != "library"}} for name in rates}
    found = winners(result.model_copy(update={"engines": able}))
    assert (found["none"].winner.engine, found["none"].lacking) == ("graph", None)
    assert found["1pct"].winner.engine == "scan"
    assert found["1pct"].lacking is not None
    assert found["1pct"].lacking.engine == "library"
    assert decide(result.model_copy(update={"engines": able})).split.endswith(
        " Without the needs, ahead would be library with 1pct."
    )
    everywhere = by_filter(
        {"kept": {"none": 9.0, "1pct": 8.0}, "library": {"none": 90.0, "1pct": 80.0}}, needs=["durable"]
    )
    split = decide(everywhere.model_copy(update={"engines": able | {"kept": able["graph"]}})).split
    assert (
        split == "kept wins with every filter. Without the needs, ahead would be library with every filter."
    )


def test_engines_that_are_never_told_apart_are_said_to_be_so_once() -> None:
    noise = (1.0, 1.3, 0.8)
    same = {"none": 1000.0, "1pct": 500.0}

    def shaken(cell: Measurement) -> Measurement:
        factor = noise[(cell.trial + (cell.engine == "b")) % 3]
        return (
            with_metrics(cell, throughput_qps=same[cell.filter] * factor) if cell.kind == "search" else cell
        )

    result = edit(by_filter({"a": same, "b": same}), shaken)
    assert decide(result).split == "a and b are not told apart with any filter."


def test_a_cost_is_won_by_the_least() -> None:
    found = winners(by_filter(GRAPH_AND_SCAN, objective="min cpu_s_per_1000"))
    assert (found["none"].winner.engine, found["1pct"].winner.engine) == ("graph", "scan")
    assert "while graph takes 4 times as much" in found["1pct"].sentence


def test_figures_of_zero_are_not_told_apart() -> None:
    stuck = edit(
        by_filter(GRAPH_AND_SCAN), lambda c: with_metrics(c, throughput_qps=0.0) if c.filter == "1pct" else c
    )
    assert winners(stuck)["1pct"].margin is None
    assert winners(stuck)["1pct"].tied == ["scan"] or winners(stuck)["1pct"].tied == ["graph"]


@pytest.mark.parametrize(
    ("rates", "weights", "split"),
    [
        (
            GRAPH_AND_SCAN,
            None,
            "scan wins where filters are narrow (1pct), graph without a filter. An equal mix hides that: weigh the "
            "filters as they are asked (decision.weights).",
        ),
        (GRAPH_AND_SCAN, {"none": 1}, "scan wins where filters are narrow (1pct), graph without a filter."),
        ({"a": {"none": 9.0, "1pct": 8.0}, "b": {"none": 3.0, "1pct": 2.0}}, None, "a wins with every filter."),
        ({"a": {"none": 9.0}, "b": {"none": 3.0}}, None, ""),
        ({"a": {"none": 9.0, "1pct": 8.0}}, None, ""),
        (
            {"a": {"none": 9.0, "10pct": 9.0, "1pct": 1.0}, "b": {"none": 3.0, "10pct": 3.0, "1pct": 3.0}},
            {"none": 1},
            "b wins where filters are narrow (1pct), a where they are wide (none and 10pct).",
        ),
        (
            {"a": {"none": 9.0, "10pct": 1.0, "1pct": 9.0}, "b": {"none": 3.0, "10pct": 3.0, "1pct": 3.0}},
            {"none": 1},
            "a wins with none and 1pct, b with 10pct.",
        ),
        (
            {"a": {"none": 9.0, "10pct": 1.0, "1pct": 1.0}, "b": {"none": 3.0, "10pct": 3.0, "1pct": 1.0},
             "c": {"none": 1.0, "10pct": 1.0, "1pct": 5.0}},
            {"none": 1},
            "c wins with 1pct, b with 10pct, a with none.",
        ),
    ],
)  # fmt: skip
def test_a_split_is_one_sentence(
    rates: dict[str, dict[str, float]], weights: dict[str, float] | None, split: str
) -> None:
    assert decide(by_filter(rates, weights=weights)).split == split


def test_filters_of_unknown_selectivity_are_named_without_calling_them_narrow() -> None:
    result = by_filter(GRAPH_AND_SCAN)
    bare = result.model_copy(update={"dataset": result.dataset | {"filters": None}})
    found = decide(bare).by_filter
    assert [one.selectivity for one in found] == [None, None]
    assert "narrow" not in split_sentence(found, weighed=True)


def test_a_setting_is_judged_by_trials_that_did_not_choose_it() -> None:
    """As in the decision: the figure of an engine with many settings is not that of the luckiest."""
    for one in decide(realistic()).by_filter:
        assert one.winner.trials == 3
        assert one.winner.score is not None
    assert decide(build(trials=1)).by_filter[0].tied
