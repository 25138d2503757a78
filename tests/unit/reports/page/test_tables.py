"""The tables: requirements, post-filtering, engines, how searches were measured."""

from typing import Any

import pytest

from harness.results.result import Measurement, RunResult
from reports.charts.style import engine_styles
from reports.decide.cells import Cells
from reports.decide.decision import conclude
from reports.decide.evidence import gather_evidence
from reports.page.export import cells_markdown
from reports.page.html import render_result
from reports.page.prose import how_it_ran
from reports.page.tables.cell_table import cell_tables
from reports.page.tables.postfilter import post_tables, unpaired
from reports.page.tables.requirement_table import columns, engine_rows
from tests.unit.example_results import ENGINES, build, edit, failed, realistic, with_metrics
from tests.unit.reports.page.parsed import Page, realistic_page


def test_what_post_filtering_costs() -> None:
    table = Cells(realistic())
    found = post_tables(table)
    assert len(found) == 3
    assert found[1].takeaway == "Post-filtering drops recall from 0.951 to 0.006 with filter brand"
    assert found[1].rows[-1].short == ("0", "400")
    assert not unpaired(table)
    lonely = Cells(edit(realistic(), lambda c: None if c.engine == "faiss-hnsw" else c))
    assert len(unpaired(lonely)) == 3
    same = edit(
        realistic(), lambda c: with_metrics(c, recall_at_10=0.9) if "recall_at_10" in c.metrics else c
    )
    assert post_tables(Cells(same))[0].takeaway == "Post-filtering loses no recall here"
    nothing = edit(realistic(), lambda c: failed(c, "x") if c.engine == "faiss-hnsw-post" else c)
    assert post_tables(Cells(nothing))[0].takeaway.endswith("was not measured on both sides")


@pytest.mark.parametrize(
    ("server", "told"),
    [
        (None, "in the measuring process"),
        (
            {"run": "container", "image": "qdrant:1", "cpus": 2.0, "memory_mib": 4096},
            "container of qdrant:1 with 2 CPUs and 4,096 MiB",
        ),
        ({"run": "process", "limits": "none"}, "server started as a process; limits: none"),
        ({"run": "url", "url": "http://10.0.0.5:6333"}, "running server http://10.0.0.5:6333"),
        ({"run": "url", "url": ""}, "running server"),
    ],
)
def test_where_an_engine_ran_is_told(server: dict[str, Any] | None, told: str) -> None:
    assert how_it_ran({"server": server}) == told


def test_what_queries_go_through_is_told() -> None:
    result = build(engines={"qdrant": ENGINES["qdrant"]}, trials=1, arrivals=False)
    assert ">its library</td>" in render_result(result)
    result.engines["qdrant"]["query_path"] = "a stub <by hand>"
    assert ">a stub &lt;by hand&gt;</td>" in render_result(result)


def test_the_table_shows_what_each_engine_costs() -> None:
    def cost(cell: Measurement) -> Measurement:
        if cell.engine != "qdrant":
            return cell
        if cell.kind == "index":
            return with_metrics(
                cell, index_s=2.0, ready_s=1.5, rss_bytes=3.0 * 2**20, rss_peak_bytes=4.0 * 2**20
            )
        return with_metrics(cell, client_cpu_s_per_1000=0.25, cpu_s_per_1000=3.5)

    evidence = gather_evidence(edit(build(), cost))
    decision = conclude(evidence)
    rows = {row.engine: row for row in engine_rows(evidence, decision, engine_styles(evidence.cells.engines))}
    assert [(cost.text, cost.detail) for cost in rows["qdrant"].costs] == [
        ("3.50 s", "clients 0.250 s"),
        ("3 MiB", "peak 4 MiB"),
        ("77.2 MiB", ""),
        ("3.50 s", ""),
    ]
    assert rows["faiss-hnsw"].costs[0].detail == ""  # its clients are part of it
    assert (rows["faiss-hnsw"].costs[2].text, rows["faiss-hnsw"].costs[2].detail) == (
        "-",
        "the engine keeps nothing on disk",
    )


def test_the_table_shows_latency_under_the_highest_offered_rate() -> None:
    def stall(cell: Measurement) -> Measurement:
        load = cell.params.get("load", {})
        if cell.engine != "qdrant" or load.get("rate") != 500.0:
            return (
                with_metrics(cell, latency_p99_ms=1.0, latency_max_ms=2.0) if cell.kind == "search" else cell
            )
        return with_metrics(
            cell, latency_p99_ms=70.0 if cell.filter == "10pct" else 3.0, latency_max_ms=4321.0
        )

    def latency(result: RunResult) -> tuple[str, str]:
        evidence = gather_evidence(result)
        rows = engine_rows(evidence, conclude(evidence), engine_styles(evidence.cells.engines))
        shown = next(row.latency for row in rows if row.engine == "qdrant")
        return shown.text, shown.detail

    assert latency(edit(build(), stall)) == ("70 ms", "filter 10pct at 500/s; highest 4,320 ms")
    text, detail = latency(edit(build(arrivals=False), stall))  # then that of the closed loop
    assert text == "1 ms"
    assert detail.startswith("filter ") and detail.endswith("highest 2 ms")
    short = edit(
        build(arrivals=False), lambda c: with_metrics(c, {"latency_p99_ms": "few"}, latency_p99_ms=None)
    )
    assert latency(short)[0] == "-"
    assert latency(short)[1].startswith("few; highest ")
    nothing = edit(build(), lambda c: c if c.kind == "index" or c.engine != "qdrant" else None)
    assert latency(nothing) == ("-", "")


def test_requirements_that_mostly_hold_share_a_column() -> None:
    page = realistic_page()
    text = Page(page).text
    assert "Answers and errors: violations = 0, errors = 0, ghosts = 0 (by default)" in text
    assert "✔ all 6 hold" in text
    assert "✘ 1 of 6 fails ghosts: 2, task updates" in text


def test_needs_share_a_column() -> None:
    result = build()
    needs = ["delete", "durable"]
    scenario = result.scenario | {"decision": result.scenario["decision"] | {"needs": needs}}
    engines = {
        label: facts | {"capabilities": {"delete": True, "durable": label == "qdrant"}}
        for label, facts in result.engines.items()
    }
    evidence = gather_evidence(result.model_copy(update={"scenario": scenario, "engines": engines}))
    decision = conclude(evidence)
    column = columns(decision)[-1]
    assert column.heading == "What production needs"
    assert column.requirements == ("needs delete", "needs durable")
    rows = {row.engine: row for row in engine_rows(evidence, decision, engine_styles(evidence.cells.engines))}
    assert rows["qdrant"].cells[-1].text == "all 2 hold"
    assert rows["qdrant"].cells[-1].detail == "declared, not measured: durable"
    assert rows["milvus"].cells[-1].kind == "fails"
    assert "keeps nothing after a crash" in rows["milvus"].cells[-1].detail


def test_every_cell_has_a_row() -> None:
    result = realistic()
    tables = cell_tables(result.measurements)
    assert sum(len(table.rows) for table in tables) == len(result.measurements)
    rows = [row for table in tables for row in table.rows]
    assert [row.kind == "failed" for row in rows].count(True) == sum(
        bool(c.error) for c in result.measurements
    )
    assert (
        [row.kind == "flagged" for row in rows].count(True)
        == sum(bool(c.flags) for c in result.measurements)
        > 0
    )
    measured = {
        (cell.kind, metric)
        for cell in result.measurements
        for metric, v in cell.metrics.items()
        if v is not None
    }
    reasons = {
        reason
        for cell in result.measurements
        for metric, reason in cell.reasons.items()
        if (cell.kind, metric)
        in measured  # others have no column, and one of their reasons stands above the table
    }
    assert reasons
    remarks = " ".join(row.remark for row in rows)
    assert all(reason in remarks for reason in reasons)


def test_metrics_that_tell_no_cells_apart_have_no_column() -> None:
    def plain(cell: Measurement) -> Measurement:
        gone = {"latency_p999_ms": None, "latency_p99_ms": 1.0 if cell.trial else None, "errors": 0.0}
        reasons = {"latency_p999_ms": f"{cell.trial} are few", "latency_p99_ms": "no time"}
        return with_metrics(cell, reasons, **gone) if cell.kind == "search" else cell

    result = edit(build(engines={"qdrant": ENGINES["qdrant"]}, arrivals=False), plain)
    index, search = cell_tables(result.measurements)[:2]
    assert index.head == ("task", "trial")
    told = " ".join(search.left_out)
    assert "0 in each of these cells: " in told and "errors" in told
    assert "P99.9 latency (0 are few; 2 more reasons in cells.csv)" in told
    assert "P99 latency, ms" in search.metrics and "P99.9 latency, ms" not in search.metrics
    (first, *_) = search.rows
    assert "no time" in first.remark and "0 are few" not in first.remark
    assert told in Page(render_result(result)).text
    assert told in cells_markdown(result).replace("\\", "")


def test_long_names_break_where_people_would() -> None:
    result = build(engines={"qdrant": ENGINES["qdrant"]}, filters={"data:on<e": 0.1}, arrivals=False)
    assert "filter data:<wbr>on&lt;e" in render_result(result)


def test_flags_stand_beside_the_score() -> None:
    evidence = gather_evidence(realistic())
    decision = conclude(evidence)
    rows = {row.engine: row for row in engine_rows(evidence, decision, engine_styles(evidence.cells.engines))}
    assert rows["faiss-ivf"].care == "steal: 1 of 12 cells"
    assert rows["qdrant"].care == ""


def test_how_well_searches_are_founded_is_told() -> None:
    def found(cell: Measurement) -> Measurement:
        few = cell.engine == "milvus"
        counts = {"judged_queries": 7.0 if few else 900.0, "warmup_s": 4.5 if few else 0.5}
        return with_metrics(cell, **counts) if cell.kind == "search" else cell

    text = Page(render_result(edit(build(), found))).text
    assert "Warm-up of a search median 0.500 s, longest 4.50 s" in text
    assert "Answers judged a search median 900, fewest 7" in text
    assert "Different queries a search" not in text  # as of an earlier version
