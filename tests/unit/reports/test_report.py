import json
import re
import socket
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.errors import ConfigurationError, MeasurementError
from harness.results.metrics import spec
from harness.results.result import Measurement, RunResult
from harness.results.writing import write_result
from reports.charts.dots import over_filters
from reports.charts.drawn import MOST_PANELS, MOST_POINTS, evenly
from reports.charts.lines import _best_settings
from reports.charts.plotting import Point, nines, spread
from reports.charts.style import engine_styles
from reports.decide.cells import Cells
from reports.decide.decision import conclude
from reports.decide.evidence import gather_evidence
from reports.page.cell_table import cell_tables
from reports.page.html import render_result, write_report
from reports.page.postfilter import post_tables, unpaired
from reports.page.prose import how_it_ran
from reports.page.requirement_table import columns, cost_headings, engine_rows
from reports.page.summary import SummaryRow, summary_rows, summary_table
from reports.page.views import cautions
from reports.wording import factor, listing, number, percent, quantity, settings, short_number, shortened
from tests.unit.example_results import ENGINES, build, edit, failed, realistic, with_metrics

VOID = {"meta", "link", "br", "img", "input", "hr", "col"}


class Page(HTMLParser):
    """A parsed report: its tags are balanced, its text and ids at hand."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.words: list[str] = []
        self.tags: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        self._note(attrs)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._note(attrs)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    def _note(self, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name in ("src", "href", "xlink:href", "srcset", "action"):
                self.links.append(value or "")

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).replace("\u00a0", " ").split())


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(render_result(realistic()))


def test_writes_report_and_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the report opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    write_result(tmp_path, build())
    path = write_report(tmp_path)
    assert path == tmp_path / "report.html"
    assert "Pick faiss-hnsw" in path.read_text(encoding="utf-8")
    decision = json.loads((tmp_path / "decision.json").read_text(encoding="utf-8"))
    assert decision["pick"]["engine"] == "faiss-hnsw"
    assert {entry.name for entry in tmp_path.iterdir()} == {
        "result.json",
        "report.html",
        "decision.json",
        "cells.csv",
    }
    assert write_report(tmp_path / "result.json") == path


def test_the_same_result_gives_the_same_bytes() -> None:
    assert render_result(realistic()) == render_result(realistic())


def test_unreadable_and_unwritable_runs_are_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        write_report(tmp_path)
    write_result(tmp_path, build(engines={"qdrant": ENGINES["qdrant"]}, trials=1, arrivals=False))
    (tmp_path / "report.html.part").mkdir()
    with pytest.raises(MeasurementError, match=r"report\.html: cannot be written"):
        write_report(tmp_path)


def test_it_is_one_file_without_scripts_or_outside_links(page: Page) -> None:
    assert "script" not in page.tags
    assert "iframe" not in page.tags
    assert {link for link in page.links if not link.startswith("#")} == {"data:,"}


def test_ids_are_unique_and_references_resolve(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    text = render_result(realistic())
    references = re.findall(r"url\(#([^)]+)\)", text) + [
        link[1:] for link in page.links if link.startswith("#")
    ]
    assert len(references) > 100
    assert set(references) <= set(page.ids)


def test_sections_come_in_order(page: Page) -> None:
    wanted = ["decision", "requirements", "care", "recall", "latency", "selectivity", "indexing", "resources"]
    wanted += ["updates", "post-filtering", "cells", "environment", "dataset", "limitations"]
    assert [name for name in page.ids if name in wanted] == wanted


def test_every_failure_and_gap_is_visible_as_text(page: Page) -> None:
    assert "MilvusException: <code 1100> collection not loaded & cannot be searched" in page.text
    assert "unsupported: it cannot delete items" in page.text
    assert "steal 7.1%" in page.text
    busy = "The machine was busy: in 3 of "
    assert page.text.index("Decision") > page.text.index(busy)  # before everything else
    assert "cells other machines on the same host took CPU time" in page.text
    assert "the engine keeps nothing on disk" in page.text
    assert "4 requests are too few, 20 are needed" in page.text
    assert "3 cells of faiss-ivf: Over 5 % of the CPU time went to other machines" in page.text


def test_other_programs_of_the_machine_are_named_first_and_a_quiet_one_is_not_mentioned() -> None:
    def busy(cell: Measurement) -> Measurement:
        if (cell.engine, cell.trial, cell.kind) != ("qdrant", 1, "search"):
            return cell
        update = {"flags": ["contention 48%"], "metrics": cell.metrics | {"foreign_share": 0.48}}
        return cell.model_copy(update=update)

    result = edit(build(), busy)
    text = Page(render_result(result)).text
    assert "other programs on this machine took CPU time, up to 48 %" in text
    assert "Other programs on this machine took over 5 % of its CPU time" in text
    assert "The machine was busy" not in Page(render_result(build())).text


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
    reasons = {reason for cell in result.measurements for reason in cell.reasons.values()}
    remarks = " ".join(row.remark for row in rows)
    assert all(reason in remarks for reason in reasons)


def test_dataset_and_method_are_told(page: Page) -> None:
    assert "category keyword real" in page.text
    assert "brand keyword generated" in page.text
    assert "Generated, not real: brand and price." in page.text
    assert "median cell" in page.text
    assert "0.20 %" in page.text or "0.2 %" in page.text  # the measured selectivity of the filter `brand`


NASTY = "<img src=x onerror=alert(1)>\"'&$x^2$ {{ 7*7 }} 名前"


def nasty() -> RunResult:
    """Every name a user can choose is markup, a template and a formula."""
    engines = {NASTY: ENGINES["qdrant"], "qdrant": ENGINES["qdrant"]}
    result = build(engines=engines, filters={NASTY: 1.0, f"{NASTY}2": 0.1})
    result = edit(
        result,
        lambda c: (
            failed(c, f"Boom {NASTY}") if c.kind == "updates" else c.model_copy(update={"flags": [NASTY]})
        ),
    )
    dataset = result.dataset | {"name": NASTY, "description": NASTY, "skipped": {NASTY: NASTY}}
    dataset["cautions"] = [NASTY]
    dataset["fields"] = [{"name": NASTY, "kind": "keyword", "origin": "generated"}]
    environment = result.environment | {"cpu": NASTY, "packages": {NASTY: NASTY}}
    scenario = result.scenario | {"description": NASTY, "name": NASTY}
    changes = {
        "name": NASTY,
        "dataset": dataset,
        "environment": environment,
        "scenario": scenario,
        "notes": [NASTY],
    }
    return result.model_copy(update=changes)


def test_names_cannot_inject_anything() -> None:
    text = render_result(nasty())
    parsed = Page(text)
    assert "img" not in parsed.tags
    assert "<img" not in text
    assert "49 名前" not in text
    assert NASTY in parsed.text


def test_data_that_float32_cannot_tell_apart_is_to_be_read_with_care() -> None:
    plain = build(engines={name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")})
    assert "Read with care" not in Page(render_result(plain)).text
    caution = "in 40% of the queries float32 cannot tell the neighbours apart"
    dataset = plain.dataset | {"notes": ["a note"], "cautions": [caution]}
    text = Page(render_result(plain.model_copy(update={"dataset": dataset}))).text
    care = text[
        text.index("Read with care") : text.index("Recall and throughput", text.index("Read with care"))
    ]
    assert caution in care
    assert "a note" not in care and "a note" in text


def test_an_interrupted_run_has_a_banner(page: Page) -> None:
    assert "This run is not complete" not in page.text
    text = Page(render_result(build().model_copy(update={"finished_at": None}))).text
    assert "This run is not complete" in text


@pytest.mark.parametrize(
    "result",
    [
        build().model_copy(update={"measurements": []}),
        build(trials=1, arrivals=False),
        edit(build(trials=2), lambda cell: None if cell.engine == "qdrant" else cell),
        build(filters={"none": 1.0}),
        build(engines={"qdrant": ENGINES["qdrant"]}),
        edit(build(trials=2), lambda cell: failed(cell, "Boom")),
        edit(build(trials=2), lambda cell: with_metrics(cell, **dict.fromkeys(cell.metrics))),
        edit(build(trials=2), lambda cell: with_metrics(cell, **dict.fromkeys(cell.metrics, 0.0))),
        edit(build(trials=2), lambda cell: cell if cell.kind == "index" else None),
        build(trials=2).model_copy(update={"dataset": {}, "environment": {}, "engines": {}}),
        build(engines={f"engine-{i}": ENGINES["qdrant"] for i in range(20)}, trials=2, arrivals=False),
        build(objective="min cpu_s_per_1000", requirements=("violations == 0",), arrivals=False),
    ],
    ids=[
        "nothing",
        "one-trial",
        "an-engine-without-cells",
        "one-filter",
        "one-engine",
        "all-failed",
        "all-null",
        "all-zero",
        "index-only",
        "bare",
        "twenty",
        "cost",
    ],
)
def test_unusual_runs_still_give_a_page(result: RunResult) -> None:
    parsed = Page(render_result(result))
    assert "Decision" in parsed.text
    assert len(parsed.ids) == len(set(parsed.ids))
    assert "Limitations" in parsed.text


def test_a_panel_names_the_best_engine_at_the_required_recall() -> None:
    text = Page(render_result(build())).text
    assert "none: faiss-hnsw 4,720/s at recall ≥ 0.95, next faiss-ivf 2,720/s" in text
    text = Page(
        render_result(build(requirements=("recall >= 1",), engines={"qdrant": ENGINES["qdrant"]}))
    ).text
    assert "no setting reaches recall 1" in text


def test_engines_keep_their_looks() -> None:
    names = [f"engine-{i}" for i in range(24)]
    found = engine_styles(names)
    assert len({(look.colour, look.marker, str(look.line)) for look in found.values()}) == 24
    assert engine_styles(names[:3]) == {name: found[name] for name in names[:3]}


def test_labels_are_spread_in_order_and_within_bounds() -> None:
    moved = spread([50.0, 51.0, 52.0, 90.0, 99.0], 10, 0, 100)
    assert all(b - a >= 10 for a, b in pairwise(moved))
    assert max(moved) <= 100
    assert spread([5.0, 80.0], 10, 0, 100) == [5.0, 80.0]
    assert spread([], 10, 0, 100) == []


def test_recall_is_spaced_by_its_nines() -> None:
    assert nines([0.0, 0.9, 0.99, 1.0]) == pytest.approx([0, 1, 2, 3], abs=0.05)


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


def summary(result: RunResult) -> list[SummaryRow]:
    evidence = gather_evidence(result)
    return summary_rows(evidence, conclude(evidence))


def test_summary_of_a_run() -> None:
    rows = {(row.engine, row.settings): row for row in summary(realistic())}
    assert len(rows) == 14
    leader = rows["faiss-hnsw", "M=16, kind=hnsw; efSearch=64"]
    assert leader.verdict == "leads"
    assert leader.recall == pytest.approx(0.951, abs=0.001)
    assert rows["milvus", ""].failed_cells == 1
    assert rows["milvus", ""].verdict == "out"
    assert rows["milvus", ""].p99_ms is None
    picked = [row for row in summary(build(objective="min cpu_s_per_1000")) if row.verdict == "✔ pick"]
    assert [row.settings for row in picked] == ["M=16, kind=hnsw; efSearch=64"]
    assert picked[0].qps is not None


def test_summary_prints_names_as_they_are() -> None:
    from rich.console import Console

    with Path("/dev/null").open("w") as nowhere:
        console = Console(width=140, record=True, file=nowhere)
        result = edit(
            build(trials=2),
            lambda c: c.model_copy(update={"engine": "[red]x[/red]"}) if c.engine == "milvus" else c,
        )
        console.print(summary_table(result))
    text = console.export_text()
    assert "[red]x[/red]" in text
    assert "Pick faiss-hnsw" in text


def test_no_figure_of_the_summary_is_cut_off_in_a_narrow_terminal() -> None:
    from rich.console import Console

    texts = []
    for width in (40, 109, 110, 140):
        with Path("/dev/null").open("w") as nowhere:
            console = Console(width=width, record=True, file=nowhere)
            console.print(summary_table(realistic(), width))
        texts.append(console.export_text())
        assert "…" not in texts[-1]
        for row in summary(realistic()):
            if row.qps is not None:
                assert number(row.qps) in texts[-1]
    assert ["┏" in text for text in texts] == [False, False, True, True]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (11_234, "11,200"),
        (184.4, "184"),
        (9.314, "9.31"),
        (0.02138, "0.0214"),
        (0.0, "0"),
        (50.0, "50"),
        (999.6, "1,000"),
        (-3.14159, "-3.14"),
        (1e-9, "0.000000"),
        (float("inf"), "∞"),
        (float("nan"), "-"),
        (None, "-"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    assert number(value) == text


def test_wording() -> None:
    assert quantity("latency_p99_ms", 12.345) == "12.3 ms"
    assert quantity("recall_at_10", 1.0) == "1.000"
    assert quantity("violations", 1234.0) == "1,234"
    assert quantity("disk_bytes", 3 * 2**20) == "3 MiB"
    assert quantity("disk_bytes", None) == "-"
    assert spec("latency_p999_ms").label == "P99.9 latency"
    assert spec("something_new").label == "something new"
    assert short_number(0.950) == "0.95"
    assert short_number(1500) == "1,500"
    assert short_number(2_500_000) == "2.5M"
    assert factor(1.22) == "22 %"
    assert factor(2.345) == "2.35 times"
    assert [percent(share) for share in (0.5, 0.025, 0.0, 1.0, 0.999)] == [
        "50 %",
        "2.5 %",
        "0 %",
        "100 %",
        "99.9 %",
    ]
    assert settings({"M": 16, "on_disk": True}, {}, {"ef": 64}) == "M=16, on_disk=true; ef=64"
    assert [listing(parts) for parts in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert shortened("abcdef", 4) == "abc…"


def test_measurements_are_not_changed() -> None:
    result = realistic()
    before = result.model_dump_json()
    render_result(result)
    assert result.model_dump_json() == before


def test_a_cell_is_found_whatever_the_order_of_its_parameters() -> None:
    """Two trials of one setting may list its parameters in different orders."""

    def turned(cell: Measurement) -> Measurement:
        if cell.trial and cell.engine == "faiss-hnsw":
            return cell.model_copy(update={"params": cell.params | {"index": {"M": 16, "kind": "hnsw"}}})
        return cell

    assert len(Cells(edit(build(), turned)).candidates) == len(Cells(build()).candidates)


def test_takeaways_follow_the_data() -> None:
    one = {"qdrant": ENGINES["qdrant"], "faiss-flat": ENGINES["faiss-flat"]}
    steady = edit(
        build(engines=one, arrivals=False),
        lambda c: with_metrics(c, recall_at_10=0.97, throughput_qps=1000.0) if c.kind == "search" else c,
    )
    text = Page(render_result(steady)).text
    assert "Recall hardly depends on the filter" in text
    assert "No engine slows down much as filters narrow" in text
    text = Page(render_result(build(requirements=("recall >= 1",)))).text
    assert "no rival no other engine meets every requirement" in text


def test_the_filter_that_slows_an_engine_most_need_not_be_the_narrowest() -> None:
    one = {"qdrant": ENGINES["qdrant"]}
    rates = {"none": 1000.0, "10pct": 200.0, "1pct": 4000.0}
    result = build(engines=one, arrivals=False, filters={"none": 1.0, "10pct": 0.1, "1pct": 0.01})
    sagging = edit(
        result, lambda c: with_metrics(c, throughput_qps=rates[c.filter]) if c.kind == "search" else c
    )
    text = Page(render_result(sagging)).text
    assert (
        "qdrant slows down most: to 20 % of its throughput with the widest filter, where 10 % of the items pass"
        in text
    )


def many(engines: int = 1, filters: int = 4, settings_of_each: int = 3, trials: int = 2) -> RunResult:
    """A run of many cells: copies of every engine, with longer grids."""
    copies = {
        f"{name}-{copy}": (adapter, index, {key: list(range(settings_of_each)) for key in grid}, qps, recall)
        for copy in range(engines)
        for name, (adapter, index, grid, qps, recall) in ENGINES.items()
    }
    shares = {f"f{number}": 0.9**number for number in range(filters)}
    return build(engines=copies, filters=shares, trials=trials)


def test_a_large_run_draws_a_part_and_says_so(tmp_path: Path) -> None:
    result = many(engines=6, filters=30)
    write_result(tmp_path, result)
    text = write_report(tmp_path).read_text(encoding="utf-8")
    page = Page(text)
    recall = [name for name in page.ids if re.fullmatch(r"recall-\d+", name)]
    assert len(recall) == MOST_PANELS
    assert "12 of 30 filters, from the widest to the narrowest" in page.text
    assert "12 of 30 indexes in panels of lines and 24 in the others" in page.text
    takeaways = [words for words in page.words if re.match(r"f(0|29): ", words)]
    assert any(words.startswith("f0: ") for words in takeaways)  # the widest and the narrowest are among them
    assert any(words.startswith("f29: ") for words in takeaways)
    assert f"Searches ({sum(cell.kind == 'search' for cell in result.measurements):,}; 500 shown" in page.text
    frame = pd.read_csv(tmp_path / "cells.csv")
    assert len(frame) == len(result.measurements)
    assert len(text) < 3_000_000


def test_a_small_run_draws_everything() -> None:
    text = Page(render_result(build())).text
    assert "Drawn:" not in text
    assert "shown, what failed" not in text


def test_what_failed_stays_in_the_table_of_a_large_run() -> None:
    cells = many(filters=12, trials=4).measurements
    marked = [
        failed(cell, "broken") if number == 300 else cell.model_copy(update={"flags": ["steal 9 %"]}) if number == 400
        else cell
        for number, cell in enumerate(cells)
    ]  # fmt: skip
    tables = cell_tables(marked, most=10)
    search = next(table for table in tables if table.title == "Searches")
    assert search.count == sum(cell.kind == "search" for cell in cells)
    assert [row.kind for row in search.rows] == ["failed", "flagged"] + ["ok"] * 8


def test_every_cell_is_in_the_csv_file(tmp_path: Path) -> None:
    result = realistic()
    result.measurements[0] = result.measurements[0].model_copy(
        update={"flags": ["a", "b"], "error": 'said "no", \udc80\nand again'}
    )
    write_result(tmp_path, result)
    write_report(tmp_path)
    frame = pd.read_csv(tmp_path / "cells.csv", keep_default_na=False, na_values=[""])
    assert list(frame["engine"]) == [cell.engine for cell in result.measurements]
    assert frame["error"][0] == 'said "no", \\udc80\nand again'
    assert frame["flags"][0] == "a; b"
    for row, cell in enumerate(result.measurements):
        for metric, value in cell.metrics.items():
            assert value is None or frame[metric][row] == pytest.approx(value, rel=1e-12)
        for metric, reason in cell.reasons.items():
            assert f"{metric}: {reason}" in frame["missing"][row]


def test_a_line_of_many_settings_keeps_the_best_and_the_ring() -> None:
    rng = np.random.default_rng(1)
    spots = [(Point.of([float(x)]), Point.of([float(y)])) for x, y in rng.uniform(size=(500, 2))]
    points = [(x, y, number == 7) for number, (x, y) in enumerate(spots)]
    kept = _best_settings(points)
    assert len(kept) <= MOST_POINTS + 1
    assert points[7] in kept
    for x, y, ring in kept:
        beaten = any(a.mean > x.mean and b.mean > y.mean for a, b, _ in points)
        assert ring or not beaten
    assert _best_settings(points[:MOST_POINTS]) == points[:MOST_POINTS]


def test_places_are_spread_evenly() -> None:
    assert evenly(range(5), 5) == [0, 1, 2, 3, 4]
    assert evenly(range(101), 5) == [0, 25, 50, 75, 100]


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
    page = render_result(realistic())
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


def test_many_kinds_of_failures_are_counted() -> None:
    numbered = [failed(cell, f"broken {number}") for number, cell in enumerate(build().measurements[:30])]
    found = cautions(Cells(build().model_copy(update={"measurements": numbered})))
    assert len(found) == 21
    assert found[-1].place == "10 more kinds of failures"


def test_an_engine_that_is_out_does_not_lead_the_chart_of_throughput() -> None:
    page = render_result(realistic())
    text = Page(page).text
    assert "Highest throughput: faiss-hnsw (" in text
    assert "faiss-hnsw-post ✘" in text


def test_filters_become_one_figure_as_the_table_says() -> None:
    by_filter = [{0: 100.0, 1: 200.0}, {0: 300.0}]
    assert over_filters("throughput_qps", by_filter) == [pytest.approx(150.0)]
    assert over_filters("cpu_s_per_1000", by_filter) == [200.0]
    assert over_filters("latency_max_ms", by_filter) == [300.0]
    assert over_filters("latency_max_ms", []) == []


def test_the_summary_of_many_settings_shows_the_best_of_each_engine() -> None:
    result = many(engines=2, settings_of_each=12)
    evidence = gather_evidence(result)
    rows = summary_rows(evidence, conclude(evidence))
    assert [row.engine for row in rows] == list(evidence.cells.engines)
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as captured:
        console.print(summary_table(result, 200))
    assert f"all {len(evidence.candidates)} are in the report" in captured.get()


def test_a_summary_without_figures_is_printed() -> None:
    from rich.console import Console

    console = Console(width=200)
    with console.capture() as captured:
        console.print(summary_table(edit(build(trials=2), lambda cell: failed(cell, "Boom")), 200))
    assert "failed cells" in captured.get()


def test_how_well_searches_are_founded_is_told() -> None:
    def found(cell: Measurement) -> Measurement:
        few = cell.engine == "milvus"
        counts = {"judged_queries": 7.0 if few else 900.0, "warmup_s": 4.5 if few else 0.5}
        return with_metrics(cell, **counts) if cell.kind == "search" else cell

    text = Page(render_result(edit(build(), found))).text
    assert "Warm-up of a search median 0.500 s, longest 4.50 s" in text
    assert "Answers judged a search median 900, fewest 7" in text
    assert "Different queries a search" not in text  # as of an earlier version
