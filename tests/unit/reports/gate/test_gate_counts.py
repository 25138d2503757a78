"""Counts compared as rates."""

from __future__ import annotations

import pytest

from harness.results.result import Measurement, RunResult
from reports.gate.compare import compare
from tests.unit.example_results import build, edit, with_metrics
from tests.unit.reports.gate.compared import TWO, Change, closed_loop, found, gate


@pytest.mark.parametrize("metric", ["violations", "ghosts", "duplicates", "errors", "timeouts"])
def test_counts_may_not_rise_from_zero(metric: str) -> None:
    def one(cell: Measurement) -> Measurement:
        first = closed_loop(cell) and cell.filter == "none" and cell.trial == 1
        hit = first and cell.params["search"] == {"hnsw_ef": 16}
        return with_metrics(cell, **{metric: 1.0}) if hit else cell

    worse = found(gate(one), "regressed")
    assert {finding.metric for finding in worse} == {metric}
    assert [(f.baseline, f.current, f.filter) for f in worse] == [(0, 1, "all filters"), (0, 1, "none")]


def with_timeouts(count: float, queries: float) -> Change:
    def change(cell: Measurement) -> Measurement:
        return with_metrics(cell, timeouts=count, queries=queries) if cell.kind == "search" else cell

    return change


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        ((20, 1000), (21, 1000), "passed"),
        ((20, 1000), (30, 1000), "failed"),
        ((20, 1000), (200, 10_000), "passed"),  # ten times the window, the same rate
        ((200, 10_000), (20, 1000), "passed"),
        ((200, 10_000), (40, 1000), "failed"),  # fewer events, of far fewer requests
        ((20, 1000), (5, 1000), "passed"),
    ],
)
def test_counts_are_compared_as_rates(
    before: tuple[float, float], after: tuple[float, float], outcome: str
) -> None:
    runs = [edit(build(engines=TWO), with_timeouts(*values)) for values in (before, after)]
    report = compare([runs[0]], runs[1])
    counted = [finding for finding in report.findings if finding.metric == "timeouts" and finding.baseline]
    assert ("regressed" in {finding.verdict for finding in counted}) == (outcome == "failed")
    assert all(finding.caught is not None and finding.caught > 1.1 for finding in counted)
    assert all(finding.at_best is not None and finding.at_best < (finding.change or 0) for finding in counted)
    overall = counted[0]
    assert overall.change == pytest.approx(after[0] / after[1] / (before[0] / before[1]))


@pytest.mark.parametrize(("rechecked", "failing"), [(64.0, True), (640.0, False)])
def test_changed_answers_are_compared_out_of_those_looked_at_again(rechecked: float, failing: bool) -> None:
    """More of them are more of the same where more were looked at, and a rise where not, whatever the requests."""

    def change(changed: float, of: float) -> Change:
        def altered(cell: Measurement) -> Measurement:
            counts = {"changed_answers": changed, "rechecked_answers": of, "queries": 100_000.0}
            return with_metrics(cell, **counts) if closed_loop(cell) else cell

        return altered

    same = build(engines=TWO)
    baseline = edit(same, change(2.0, 64.0))
    report = compare([baseline], edit(same, change(20.0, rechecked)))
    worse = [f for f in found(report, "regressed") if f.metric == "changed_answers"]
    assert bool(worse) == failing


def test_events_that_come_in_bursts_are_no_proof() -> None:
    """All time-outs of a cell at once in one of its trials: twice as many are chance, and proof if they are steady."""
    steady, bursts = ((6.0, 6.0, 6.0), (12.0, 12.0, 12.0)), ((0.0, 0.0, 18.0), (0.0, 36.0, 0.0))

    def run(kind: int, side: int) -> RunResult:
        values = (steady, bursts)[kind][side]
        return edit(
            build(engines=TWO, arrivals=False),
            lambda c: with_metrics(c, timeouts=values[c.trial], queries=1000.0) if closed_loop(c) else c,
        )

    assert found(compare([run(0, 0)], run(0, 1)), "regressed")
    assert not found(compare([run(1, 0)], run(1, 1)), "regressed")


def test_rare_events_that_one_cell_had_none_of_before_are_chance() -> None:
    def rare(first: str) -> Change:
        def change(cell: Measurement) -> Measurement:
            return with_metrics(
                cell, timeouts=float(closed_loop(cell) and cell.filter == first), queries=1000.0
            )

        return lambda cell: change(cell) if cell.kind == "search" else cell

    runs = [edit(build(engines=TWO), rare(name)) for name in ("none", "brand")]
    report = compare(runs[:1], runs[1])
    assert not found(report, "regressed")
    assert {f.filter for f in found(report, "within noise") if f.metric == "timeouts"} == {"brand"}


def test_windows_whose_requests_were_not_counted_count_the_same() -> None:
    def uncounted(events: float) -> Change:
        return lambda c: (
            c.model_copy(update={"metrics": {**c.metrics, "ghosts": events, "queries": None}})
            if c.kind == "updates"
            else c
        )

    many, more = (edit(build(engines=TWO), uncounted(events)) for events in (100.0, 200.0))
    assert not found(compare([many], many), "regressed")
    assert {f.metric for f in found(compare([many], more), "regressed")} == {"ghosts"}
