"""An engine of which the run shows too little is neither out nor eligible, and is said to be neither."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.results.result import Measurement, RunResult
from reports.decide.decision import decide
from reports.page.html import render_result
from tests.unit.example_results import ENGINES, build, edit, failed, with_metrics
from tests.unit.reports.decide.deciding import change, standing

TWO = {"a": ("a", {}, {}, 5000.0, 0.99), "b": ("b", {}, {}, 4000.0, 0.99)}
LATENCY = ("recall >= 0.95", "latency.p99 < 100ms")


FEW = {"latency_p99_ms": "62 samples; 1000 are needed"}
CHANGES: dict[str, Callable[[Measurement], Measurement]] = {
    "nothing": lambda c: c,
    "too few requests for a percentile": lambda c: with_metrics(c, FEW, latency_p99_ms=None),
    "a recall of too few queries": lambda c: with_metrics(c, recall_at_10=0.9, queries=4.0),
    "a percentile beyond the limit": lambda c: with_metrics(c, latency_p99_ms=500.0),
    "a low recall, and too few requests": lambda c: with_metrics(
        c, FEW, latency_p99_ms=None, recall_at_10=0.5, recall_sd=0.1
    ),
    "a cell that failed": lambda c: failed(c, "Boom") if c.trial == 1 else c,
    "a filter that it cannot do": lambda c: failed(c, "unsupported: no filters") if c.filter == "1pct" else c,
}


def changed(kind: str) -> RunResult:
    """Engines a and b, with one thing about the searches of b changed."""
    base = build(engines=TWO, arrivals=False, requirements=LATENCY)
    return change(base, CHANGES[kind], engine="b", kind="search")


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("nothing", "eligible"),
        ("too few requests for a percentile", "not judged"),
        ("a recall of too few queries", "not judged"),
        ("a percentile beyond the limit", "eliminated"),
        ("a low recall, and too few requests", "eliminated"),
        ("a cell that failed", "eliminated"),
        ("a filter that it cannot do", "eliminated"),
    ],
)
def test_the_standing_is_what_the_run_shows(kind: str, status: str) -> None:
    result = changed(kind)
    decision = decide(result)
    entry = standing(decision, "b")
    assert entry.status == status
    assert ("could not be judged" in entry.sentence) == (status == "not judged")
    assert ("is out" in entry.sentence) == (status == "eliminated")
    told = any("b could not be judged" in text for text in decision.caveats)
    assert told == (status == "not judged")
    if status != "eligible":
        known = "is known to meet" if status == "not judged" else "meets"
        assert f"no other engine {known} every requirement" in decision.sentence
        assert entry.sentence in render_result(result).replace("\u00a0", " ").replace("&gt;", ">").replace(
            "&lt;", "<"
        )


def test_where_no_engine_could_be_judged_none_is_said_to_miss_a_requirement() -> None:
    few = edit(
        build(engines={"qdrant": ENGINES["qdrant"], "milvus": ENGINES["milvus"]}, arrivals=False),
        lambda c: with_metrics(c, recall_at_10=0.9, queries=4.0) if c.kind == "search" else c,
    )
    decision = decide(few)
    assert {entry.status for entry in decision.standings} == {"not judged"}
    assert decision.sentence == "No decision: no setting of any engine is known to meet every requirement."
