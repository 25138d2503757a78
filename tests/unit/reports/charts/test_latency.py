"""Latency under load: fixed rates, and shares of what each engine can answer, up to its limit and beyond."""

import re

from harness.results.result import Measurement
from reports.charts.drawn import choose_drawn
from reports.charts.latency import high_percentile, kept_up, latency_charts, limits, offered_rate
from reports.charts.lines import Chart
from reports.charts.style import engine_styles
from reports.charts.svg import styled
from reports.decide.cells import Cells
from tests.unit.example_results import ENGINES, SHARES, build, edit, with_metrics

TWO = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}
SATURATED = build(engines=TWO, arrivals=False, saturation=True)


def charts(cells: Cells) -> list[Chart]:
    with styled():
        return latency_charts(cells, engine_styles(cells.engines), choose_drawn(cells, [], {}))


def test_a_share_stands_at_the_rate_that_it_came_to() -> None:
    cells = Cells(SATURATED)
    groups = cells.offered()["qdrant", "{}"]
    rates = [offered_rate(group) or 0.0 for group in groups]
    assert [group.share for group in groups] == list(SHARES)
    assert [group.load for group in groups][-1] == "120 % of its capacity"
    assert all(0.9 < rate / (share * 1700 / 2.2) < 1.1 for rate, share in zip(rates, SHARES, strict=True))
    assert [kept_up(group) for group in groups] == [True, True, True, False]
    unknown = edit(
        SATURATED, lambda c: with_metrics(c, offered_qps=None) if c.executor == "saturation" else c
    )
    assert offered_rate(Cells(unknown).offered()["qdrant", "{}"][0]) is None


def test_the_chart_says_who_keeps_up_with_most() -> None:
    median, high, worst = charts(Cells(SATURATED))
    assert median.takeaway.startswith("none: faiss-hnsw keeps up with most, ")
    assert high.name == "latency-0-p99"
    assert worst.name == "latency-0-max"
    late = edit(SATURATED, lambda c: with_metrics(c, throughput_qps=1.0) if c.executor == "saturation" else c)
    assert charts(Cells(late))[0].takeaway == "none: no engine kept up"


def test_up_to_where_each_keeps_up_is_told() -> None:
    def told(cells: Cells) -> str:
        return limits(cells, choose_drawn(cells, [], {}))

    assert re.fullmatch(
        r"Of the rates that were offered, each keeps up at most: faiss-hnsw with 4,[45]\d0/s and qdrant with 69\d/s\.",
        told(Cells(SATURATED)),
    )
    late = edit(SATURATED, lambda c: with_metrics(c, throughput_qps=1.0) if c.engine == "qdrant" else c)
    assert "qdrant with none" in told(Cells(late))
    assert told(Cells(build(engines=TWO))) == ""


def test_where_rates_were_asked_of_all_the_soonest_answer_at_the_highest_is_told() -> None:
    both = build(engines=TWO, saturation=True)
    assert charts(Cells(both))[0].takeaway.startswith(
        "none: at 500/s faiss-hnsw has the lowest P50 latency, "
    )


def test_what_was_not_measured_is_told() -> None:
    def lost(cell: Measurement) -> Measurement:
        gone = dict.fromkeys(("latency_p50_ms", "offered_qps"))
        return (
            with_metrics(cell, {"latency_p50_ms": "few"}, **gone) if cell.executor == "saturation" else cell
        )

    median = charts(Cells(edit(SATURATED, lost)))[0]
    assert median.takeaway == "none: P50 latency not measured"
    assert median.notes[0].startswith("faiss-hnsw and qdrant: at 25 % of its capacity, 50 % of its capacity")
    nowhere = edit(
        SATURATED, lambda c: with_metrics(c, offered_qps=None) if c.executor == "saturation" else c
    )
    assert charts(Cells(nowhere))[0].svg == ""
    assert high_percentile([]) == "latency_p99_ms"


def test_short_windows_show_the_highest_percentile_that_they_have() -> None:
    def without(*metrics: str) -> str:
        run = edit(
            SATURATED,
            lambda c: with_metrics(c, **dict.fromkeys(metrics)) if c.executor == "saturation" else c,
        )
        groups = [group for own in Cells(run).offered().values() for group in own]
        return high_percentile(groups)

    assert without() == "latency_p99_ms"
    assert without("latency_p99_ms") == "latency_p95_ms"
    assert without("latency_p99_ms", "latency_p95_ms") == "latency_p90_ms"
    assert without("latency_p99_ms", "latency_p95_ms", "latency_p90_ms") == "latency_p99_ms"
