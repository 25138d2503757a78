"""The tables: requirements, post-filtering, engines, how searches were measured."""

from typing import Any

import pytest

from harness.results.result import Measurement
from reports.charts.style import engine_styles
from reports.decide.cells import Cells
from reports.decide.decision import conclude
from reports.decide.evidence import gather_evidence
from reports.page.html import render_result
from reports.page.postfilter import post_tables, unpaired
from reports.page.prose import how_it_ran
from reports.page.requirement_table import columns, cost_headings, engine_rows
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
    assert "<td>its library</td>" in render_result(result)
    result.engines["qdrant"]["query_path"] = "a stub <by hand>"
    assert "<td>a stub &lt;by hand&gt;</td>" in render_result(result)


def test_the_table_shows_throughput_cost_and_the_highest_latency() -> None:
    def cost(cell: Measurement) -> Measurement:
        if cell.kind != "search" or cell.engine != "qdrant":
            return cell
        stall = cell.filter == "none" and cell.trial == 1
        return with_metrics(
            cell,
            client_cpu_s_per_1000=0.25,
            cpu_s_per_1000=3.5,
            latency_max_ms=4321.0 if stall else 12.0,
        )

    evidence = gather_evidence(edit(build(), cost))
    decision = conclude(evidence)
    assert cost_headings(decision) == ["CPU s per 1,000 queries", "CPU s of the clients", "Highest latency"]
    rows = {row.engine: row for row in engine_rows(evidence, decision, engine_styles(evidence.cells.engines))}
    assert rows["qdrant"].costs == ("3.50 s", "0.250 s", "4,320 ms")
    assert rows["milvus"].costs[1] == "-"
    cheap = gather_evidence(edit(build(objective="min cpu_s_per_1000"), cost))
    assert cost_headings(conclude(cheap))[0] == "Throughput, queries/s"


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
