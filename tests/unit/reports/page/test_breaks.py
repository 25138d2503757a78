"""What breaks the leader, and the questions of an architect."""

from __future__ import annotations

from typing import Any

import pytest

from harness.results.result import Measurement, RunResult
from reports.decide.evidence import gather_evidence
from reports.page.breaks import breaks
from reports.page.html import render_result
from reports.page.prose import not_measured
from tests.unit.example_results import ENGINES, build, edit, failed, with_metrics
from tests.unit.reports.page.parsed import Page

ONE = {"qdrant": ENGINES["qdrant"]}


def told(result: RunResult) -> dict[str, str]:
    return {one.name: one.text.removesuffix(".") for one in breaks(gather_evidence(result))}


def searched(**by_filter: dict[str, float]) -> RunResult:
    """qdrant alone, with these metrics in its closed loops by filter."""
    result = build(engines=ONE, filters={"none": 1.0, "10pct": 0.1, "1pct": 0.01}, arrivals=False)
    return edit(
        result,
        lambda c: with_metrics(c, **by_filter.get(c.filter, {})) if c.executor == "closed_loop" else c,
    )


def test_the_filter_that_slows_it_most_and_that_of_the_lowest_recall() -> None:
    fast = {"throughput_qps": 2000.0, "recall_at_10": 0.99}
    slow, coarse = fast | {"throughput_qps": 500.0}, fast | {"recall_at_10": 0.96}
    text = told(searched(**{"none": fast, "10pct": coarse, "1pct": slow}))["Narrow filters"]
    assert text == (
        "slowest with 1pct (1 % of the items pass): 500 queries/s, 25 % of its 2,000 with none; "
        "recall@10 is lowest with 10pct, 0.960"
    )
    text = told(searched(**{"none": slow, "10pct": fast, "1pct": fast}))["Narrow filters"]
    assert text.endswith("recall@10 is lowest with none, 0.990")
    assert text.startswith("no filter slows it below its 500 queries/s with none; ")


def test_a_recall_that_is_whole_everywhere_is_not_lowest_anywhere() -> None:
    whole = {name: {"recall_at_10": 1.0} for name in ("none", "10pct", "1pct")}
    assert told(searched(**whole))["Narrow filters"].endswith("; recall@10 is 1.000 with every filter")


def test_one_filter_shows_nothing_of_filters() -> None:
    assert told(build(engines=ONE, filters={"none": 1.0}))["Narrow filters"] == "only one filter was measured"


def test_filters_of_a_run_that_asks_for_no_recall() -> None:
    result = build(engines=ONE, requirements=("recall >= 0",), arrivals=False)
    result = edit(result, lambda c: with_metrics(c, recall_at_10=0.0) if c.kind == "search" else c)
    assert "recall" not in told(result)["Narrow filters"]
    bare = result.model_copy(update={"dataset": {}})
    assert "of the items pass" not in told(bare)["Narrow filters"]


def test_the_load_that_it_keeps_up_with_and_the_one_that_it_does_not() -> None:
    loaded = edit(
        build(engines=ONE, arrivals=False, saturation=True),
        lambda c: with_metrics(c, latency_p99_ms=8.0) if c.executor == "saturation" else c,
    )
    text = told(loaded)["Load"]
    assert text.startswith("it keeps up with 69")  # 90 % of 773 queries/s
    assert " queries/s (filter none) with a P99 of 8 ms" in text
    assert "; not with 9" in text  # 120 %
    assert told(build(engines=ONE))["Load"].endswith("; it was not loaded further")
    assert told(build(engines=ONE, arrivals=False))["Load"] == "not measured under an offered rate"


def test_an_engine_that_falls_behind_at_once() -> None:
    late = edit(build(engines=ONE), lambda c: with_metrics(c, throughput_qps=9.0) if _offered(c) else c)
    assert told(late)["Load"] == "it falls behind at 50 queries/s already, the least that was offered"
    short = edit(build(engines=ONE), lambda c: with_metrics(c, latency_p99_ms=None) if _offered(c) else c)
    assert "P99" not in told(short)["Load"]


def _offered(cell: Measurement) -> bool:
    return cell.executor == "arrival_rate"


def test_updates() -> None:
    def update(**metrics: float | None) -> str:
        return told(
            edit(build(engines=ONE), lambda c: with_metrics(c, **metrics) if c.kind == "updates" else c)
        )["Updates"]

    assert update(freshness_p90_ms=4.0) == (
        "0 deleted items still found and 0 hits that break the filter; 90 % of single writes show within 4 ms"
    )
    assert update(freshness_p90_ms=None).endswith("hits that break the filter")
    bare = dict.fromkeys(("ghosts", "violations", "freshness_p90_ms"))
    asked = {"engines": ONE, "requirements": ("recall >= 0.9",)}
    assert told(edit(build(**asked), _without_updates))["Updates"] == "the scenario has no updates task"  # type: ignore[arg-type]
    unknown = edit(build(**asked), lambda c: _bare(c, bare))  # type: ignore[arg-type]
    assert told(unknown)["Updates"] == "not counted"


def _without_updates(cell: Measurement) -> Measurement | None:
    return None if cell.kind == "updates" else cell


def _bare(cell: Measurement, metrics: dict[str, None]) -> Measurement:
    if cell.kind != "updates":
        return cell
    return cell.model_copy(update={"metrics": {k: v for k, v in cell.metrics.items() if k not in metrics}})


def test_an_engine_that_cannot_update_says_why() -> None:
    unable = edit(
        build(engines=ONE), lambda c: failed(c, "unsupported: no deletes") if c.kind == "updates" else c
    )
    assert told(unable)["Updates"] == "unsupported: no deletes"


@pytest.mark.parametrize(
    ("metrics", "text"),
    [
        (None, "not measured: nothing was killed"),
        ({}, "not measured for this engine"),
        (
            {"killed_lost": 0.0, "acknowledged": 200.0},
            "0 of 200 acknowledged items are lost when it is killed",
        ),
        ({"killed_lost": 3.0}, "3 acknowledged items are lost when it is killed"),
    ],
)
def test_a_crash(metrics: dict[str, Any] | None, text: str) -> None:
    result = build(engines=ONE, arrivals=False)
    if metrics is not None:
        cell = next(c for c in result.measurements if c.kind == "updates")
        kept = {"task": "durability", "kind": "durability", "metrics": metrics, "reasons": {}}
        result = result.model_copy(
            update={"measurements": [*result.measurements, cell.model_copy(update=kept)]}
        )
    assert told(result)["A crash"] == text


def test_without_a_leader_nothing_is_told_of_it() -> None:
    nobody = build(requirements=("recall >= 2",))
    assert not told(nobody)
    page = Page(render_result(nobody))
    assert "What breaks it?" not in page.text
    assert "What does it cost?" not in page.text
    assert "What was not measured?" in page.text


def test_each_question_has_its_answer_on_the_page() -> None:
    page = Page(render_result(build(engines=ONE, saturation=True)))
    head = page.text[: page.text.index("Who meets the requirements")]
    assert "What does it cost? qdrant : " in head
    assert " CPU per 1,000 queries, " in head
    assert "What breaks it? Narrow filters : slowest with " in head
    assert "What was not measured? Not in this run : what a crash loses." in head


def test_what_was_not_measured_is_named() -> None:
    few = edit(build(engines=ONE, filters={"none": 1.0}, arrivals=False), _without_updates)
    assert not_measured(gather_evidence(few)) == [
        "latency under an offered rate",
        "load up to the limit of each engine",
        "updates",
        "what a crash loses",
        "more than one client at a time",
        "more than one filter",
    ]
    broken = edit(build(engines=ONE, saturation=True), lambda c: failed(c, "x") if c.kind == "updates" else c)
    assert not_measured(gather_evidence(broken)) == [
        "what a crash loses",
        "3 of 66 cells, which failed or are unsupported",
    ]
