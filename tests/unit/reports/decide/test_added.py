"""What a setting adds to the one behind it: which settings are a pair, and by how much they differ."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from harness.results.result import Measurement, RunResult
from reports.decide.added import added
from reports.decide.cells import Cells
from reports.page.added import added_lines, added_rows
from tests.unit.example_results import build, edit
from tests.unit.reports.summaries import summary_of

FILTERS = {"none": 1.0, "10pct": 0.1}
BARE = ("faiss", {"kind": "hnsw"}, {"efSearch": [16, 64]}, 11_000.0, 0.97)
NAMED = {"engine": "faiss", "index": {"kind": "hnsw"}, "search": {"efSearch": 64}}
MORE_MS = (0.3, 0.5, 0.4)  # by trial
P50, P99 = "latency_p50_ms", "latency_p99_ms"


def run(named: dict[str, Any] = NAMED, trials: int = 3) -> RunResult:
    """An engine by itself and behind another one, which takes MORE_MS longer, and ten times that at P99."""
    outer = ("wrapper", named, {}, 11_000.0, 0.97)
    result = build(trials=trials, engines={"bare": BARE, "outer": outer}, filters=FILTERS)

    def timed(cell: Measurement) -> Measurement:
        if cell.executor != "arrival_rate":
            return cell
        more_ms = MORE_MS[cell.trial] if cell.engine == "outer" else 0.0
        rate = cell.params["load"]["rate"]
        # At the low rate there are too few queries for a P99.
        figures = {P50: 1 + cell.trial + more_ms, P99: 9 + 10 * more_ms if rate > 100 else None}
        return cell.model_copy(update={"metrics": cell.metrics | figures})

    return edit(result, timed)


def test_what_is_added_is_the_mean_difference_of_paired_trials() -> None:
    found = added(Cells(run()))
    assert [(one.outer.engine, one.inner.engine, one.place) for one in found] == [
        ("outer", "bare", f"filter {name} at {rate}/s") for name in FILTERS for rate in (50, 500)
    ]
    for one in found:
        p50 = one.differences[P50]
        assert p50.estimate == pytest.approx(0.4)
        # Student's t with 2 degrees of freedom, 4.303, times 0.1 / sqrt(3).
        assert (p50.low, p50.high) == (
            pytest.approx(0.4 - 0.2484, abs=1e-3),
            pytest.approx(0.4 + 0.2484, abs=1e-3),
        )
        assert one.trials == 3
    assert found[1].differences[P99].estimate == pytest.approx(4)
    assert P99 not in found[0].differences


@pytest.mark.parametrize(
    "named",
    [
        {**NAMED, "engine": "qdrant"},
        {**NAMED, "index": {"kind": "hnsw", "M": 32}},
        {**NAMED, "search": {"efSearch": 256}},
        {"engine": "faiss"},
        {"kind": "hnsw"},
    ],
)
def test_settings_that_do_not_name_each_other_are_no_pair(named: dict[str, Any]) -> None:
    assert added(Cells(run(named))) == []
    assert added(Cells(run()))


def test_one_trial_has_no_interval() -> None:
    rows = added_rows(Cells(run(trials=1)))
    assert rows[1].figures == (
        "+0.300 ms (one trial, so no interval)",
        "+3 ms (one trial, so no interval)",
    )
    assert rows[0].figures[1] == "-"


def test_only_trials_that_both_have_count() -> None:
    whole = run()
    cut = [cell for cell in whole.measurements if (cell.engine, cell.trial) != ("bare", 1)]
    (first, *_) = added(Cells(whole.model_copy(update={"measurements": cut})))
    assert first.trials == 2
    assert first.differences[P50].estimate == pytest.approx(0.35)


def test_only_loads_that_both_were_offered_and_have_figures_of_are_compared() -> None:
    def without(cell: Measurement) -> Measurement | None:
        offered = cell.executor == "arrival_rate"
        if offered and cell.engine == "bare" and cell.params["load"]["rate"] == 500:
            return None
        if offered and cell.engine == "outer" and cell.filter == "10pct":
            return cell.model_copy(update={"metrics": cell.metrics | {P50: None, P99: None}})
        return cell

    assert [one.place for one in added(Cells(edit(run(), without)))] == ["filter none at 50/s"]


def test_the_terminal_and_the_page_tell_it() -> None:
    lines = added_lines(Cells(run()))
    assert lines[1] == (
        "outer adds to bare, filter none at 500/s: "
        "P50 +0.400 ms (95%: +0.152 to +0.648), P99 +4 ms (95%: +1.52 to +6.48)"
    )
    assert lines[3] in printed(run())
    assert "adds to" not in printed(build(engines={"bare": BARE}, filters=FILTERS))


def printed(result: RunResult) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(summary_of(result))
    return console.export_text()
