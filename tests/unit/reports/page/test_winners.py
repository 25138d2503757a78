"""The tables of who wins with each filter, and of what would flip the pick."""

from __future__ import annotations

import pytest

from harness.results.result import Measurement, RunResult
from reports.decide.decision import Decision, decide
from reports.page.html import render_result
from reports.page.tables.winners import WinnerRow, change_tables, winner_rows
from tests.unit.example_results import ENGINES, build, edit, with_metrics
from tests.unit.reports.page.parsed import Page

TWO = {name: ENGINES[name] for name in ("faiss-flat", "qdrant")}
FILTERS = {"none": 1.0, "1pct": 0.01}


def crossing() -> RunResult:
    """qdrant is three times as fast without a filter, faiss-flat with one; there is next to no noise."""

    def rate(cell: Measurement) -> Measurement:
        if cell.executor != "closed_loop":
            return cell
        fast = (cell.engine == "qdrant") == (cell.filter == "none")
        small = 1 + cell.trial / 1000 + (0.2 if cell.engine == "qdrant" else 0)
        return with_metrics(cell, throughput_qps=(3000.0 if fast else 1000.0) * small)

    return edit(build(engines=TWO, filters=FILTERS, noise=0.001), rate)


def rows(decision: Decision) -> dict[str, WinnerRow]:
    return {row.filter: row for row in winner_rows(decision)}


def test_each_filter_has_its_winner() -> None:
    found = rows(decide(crossing()))
    assert [found[name].engine for name in FILTERS] == ["qdrant", "faiss-flat"]
    passing, winner, figure, ahead, tied = found["1pct"].texts
    assert (passing, winner, figure, tied) == ("1 %", "faiss-flat", "3,000 queries/s", "-")
    assert ahead.startswith("2.50 times as many as qdrant (97 % interval ")


def test_a_tie_has_none() -> None:
    def same(cell: Measurement) -> Measurement:
        own = {"faiss-flat": (900.0, 1000.0, 1100.0), "qdrant": (1100.0, 1010.0, 900.0)}[cell.engine][
            cell.trial
        ]
        return with_metrics(cell, throughput_qps=own) if cell.executor == "closed_loop" else cell

    decision = decide(edit(build(engines=TWO, filters=FILTERS), same))
    row = rows(decision)["none"]
    assert row.engine == ""
    assert row.texts[1:3] == ("no one surely", "1,000 queries/s (qdrant)")
    assert row.texts[4] == "faiss-flat"


def test_an_only_candidate_wins_and_nothing_is_known_of_unknown_filters() -> None:
    alone = build(engines={"qdrant": ENGINES["qdrant"]}, filters=FILTERS).model_copy(update={"dataset": {}})
    row = rows(decide(alone))["none"]
    assert (row.texts[0], row.engine, row.texts[3]) == ("?", "qdrant", "no other one is eligible")


def test_what_flips_the_pick() -> None:
    result = crossing()
    tables = {table.title: table for table in change_tables(decide(result))}
    weights = {row.change: row for row in tables["Other weights of the filters"].rows}
    assert weights["none"].flips or weights["1pct"].flips
    told = " ".join(row.texts[1] for row in weights.values())
    assert "faiss-flat from " in told or "faiss-flat up to " in told
    recall = {row.change: row for row in tables["Another recall"].rows}
    assert "recall >= 0.95 (as asked)" in recall
    assert not recall["recall >= 0.95 (as asked)"].flips
    assert recall["recall >= 0.999"].texts[0] == "faiss-flat"
    assert recall["recall >= 0.999"].texts[1] == "no other"
    assert recall["recall >= 0.999"].flips
    steady = change_tables(decide(build(engines=TWO, filters=FILTERS, speed={"qdrant": 1000.0})))
    assert {row.texts[1] for row in steady[0].rows} == {"at no share up to 98 %"}


def test_nobody_may_be_left() -> None:
    worse = edit(crossing(), lambda c: with_metrics(c, recall_at_10=0.96) if c.kind == "search" else c)
    (recall,) = (table for table in change_tables(decide(worse)) if table.title == "Another recall")
    assert recall.rows[-1].texts == ("nobody is eligible", "-")
    assert recall.rows[-1].flips


def test_the_page_shows_both() -> None:
    text = Page(render_result(crossing())).text
    assert (
        "Where does each engine win? By filter : faiss-flat wins where filters are narrow (1pct), qdrant"
        in text
    )
    assert "What would flip the pick? By the figures alone : " in text
    assert "Share of the mix Another one leads" in text
    nothing = Page(render_result(build().model_copy(update={"measurements": []}))).text
    assert "Nothing was measured that could be weighed otherwise." in nothing
    assert "Where does each engine win?" not in nothing
    assert "Throughput with each filter" in Page(render_result(build(filters={"none": 1.0}))).text


@pytest.mark.parametrize(
    ("slow_ms", "told"), [(1.5, "qdrant stays ahead with latency.p99 < 2ms."), (1500.0, " to ")]
)
def test_one_limit_is_not_a_range(slow_ms: float, told: str) -> None:
    alone = build(engines={"qdrant": ENGINES["qdrant"]}, arrivals=False)

    def latency(cell: Measurement) -> Measurement:
        if cell.kind != "search":
            return cell
        fastest = cell.params["search"] == {"hnsw_ef": 256}
        own = 1.2 if fastest else slow_ms if cell.filter == "1pct" else 1.5
        return with_metrics(cell, latency_p99_ms=own)

    assert told in decide(edit(alone, latency)).sensitivity.sentences[-1]
