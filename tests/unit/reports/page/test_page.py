"""The page: what stands on it, from a usual run and from unusual ones."""

import base64
import hashlib
import json
import re
import socket
from pathlib import Path
from typing import Any

import pytest

from harness.errors import ConfigurationError, MeasurementError
from harness.results.result import Measurement, RunResult
from harness.results.writing import write_result
from reports.page.html import render_result, write_report
from tests.unit.example_results import ENGINES, build, edit, failed, realistic, with_metrics
from tests.unit.reports.page.parsed import Page, realistic_page, sound_page


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(realistic_page())


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
    assert render_result(realistic()) == realistic_page()


def test_unreadable_and_unwritable_runs_are_explained(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be read"):
        write_report(tmp_path)
    write_result(tmp_path, build(engines={"qdrant": ENGINES["qdrant"]}, trials=1, arrivals=False))
    (tmp_path / "report.html.part").mkdir()
    with pytest.raises(MeasurementError, match=r"report\.html: cannot be written"):
        write_report(tmp_path)


def test_it_is_one_file_with_one_script_of_our_own_and_no_outside_links(page: Page) -> None:
    assert page.tags.count("script") == 1
    text = realistic_page()
    script = text[text.index("<script>") + len("<script>") : text.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in text  # browsers run no other one
    assert "iframe" not in page.tags
    assert {link for link in page.links if not link.startswith("#")} == {"data:,"}


def test_ids_are_unique_and_references_resolve(page: Page) -> None:
    assert len(page.ids) == len(set(page.ids))
    references = re.findall(r"url\(#([^)]+)\)", realistic_page()) + [
        link[1:] for link in page.links if link.startswith("#")
    ]
    assert len(references) > 100
    assert set(references) <= set(page.ids)


def test_sections_come_in_order(page: Page) -> None:
    wanted = ["decision", "requirements", "care", "cost", "resources", "indexing", "filters"]
    wanted += ["selectivity", "latency", "updates", "post-filtering", "flips", "not-measured", "recall"]
    wanted += ["cells", "environment", "dataset"]
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

    result = edit(build(engines={"qdrant": ENGINES["qdrant"]}, filters={"none": 1.0}, arrivals=False), busy)
    text = Page(render_result(result)).text
    assert "other programs on this machine took CPU time, up to 48 %" in text
    assert "Other programs on this machine took over 5 % of its CPU time" in text
    assert "The machine was busy" not in Page(sound_page()).text


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
    plain = build(engines={"qdrant": ENGINES["qdrant"]}, filters={"none": 1.0}, arrivals=False)
    assert "Read with care" not in Page(render_result(plain)).text
    caution = "in 40% of the queries float32 cannot tell the neighbours apart"
    dataset = plain.dataset | {"notes": ["a note"], "cautions": [caution]}
    text = Page(render_result(plain.model_copy(update={"dataset": dataset}))).text
    care = text[text.index("Read with care") : text.index("What it costs", text.index("Read with care"))]
    assert caution in care
    assert "a note" not in care and "a note" in text


def test_the_headline_names_who_leads_where_nothing_is_decided() -> None:
    undecided = build(
        engines={"qdrant": ENGINES["qdrant"], "milvus": ENGINES["milvus"]}, trials=1, arrivals=False
    )
    assert "<h1>No decision; qdrant leads</h1>" in render_result(undecided)
    assert "<h1>No decision</h1>" in render_result(build(requirements=("recall >= 2",)))


def test_an_interrupted_run_has_a_banner(page: Page) -> None:
    assert "This run is not complete" not in page.text
    cut = build(engines={"qdrant": ENGINES["qdrant"]}, trials=1, arrivals=False)
    text = Page(render_result(cut.model_copy(update={"finished_at": None}))).text
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


def test_measurements_are_not_changed() -> None:
    result = realistic()
    before = result.model_dump_json()
    render_result(result)
    assert result.model_dump_json() == before
