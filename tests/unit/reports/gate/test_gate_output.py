"""The gate's report as text, Markdown and JUnit XML."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness.results.result import RunResult
from reports.gate.compare import compare
from reports.gate.findings import Finding, FindingVerdict, GateReport
from reports.gate.output.junit import to_junit
from reports.gate.output.markdown import to_markdown
from reports.gate.output.text import to_text
from reports.gate.output.words import change_text, detail, finding_text
from tests.unit.example_results import ENGINES, build, edit, failed

TWO = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}
NASTY = 'a|b<script>alert("x")</script>`*_&\x00\n#'


def gate(**options: Any) -> GateReport:
    shape = {key: options[key] for key in ("trials", "arrivals") if key in options}
    return compare([build(seed=7, engines=TWO, **shape)], build(seed=8, engines=TWO, **options))


def nasty() -> GateReport:
    def run(seed: int, **options: Any) -> RunResult:
        engines = {"faiss-hnsw": TWO["faiss-hnsw"], NASTY: TWO["qdrant"]}
        return build(seed=seed, engines=engines, **options)

    broken = edit(
        run(8, speed={NASTY: 0.3}),
        lambda c: failed(c, f"Boom {NASTY}") if c.engine == NASTY and c.kind == "updates" else c,
    )
    return compare([run(7)], broken)


def finding(verdict: FindingVerdict, metric: str = "throughput_qps", **values: Any) -> Finding:
    return Finding("e", "", "t", "f", metric, verdict, **values)


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (finding("regressed", change=0.772, at_best=0.859, at_worst=0.6), "-22.8 % (at best -14.1 %)"),
        (finding("ok", change=0.98, at_best=1.2, at_worst=0.92), "-2.0 % (at worst -8.0 %)"),
        (finding("improved", change=1.5, at_best=1.9, at_worst=1.2), "+50.0 % (at worst +20.0 %)"),
        (
            finding("inconclusive", change=0.9, at_best=3.0, at_worst=0.2),
            "-10.0 % (at best 3 times as much, at worst -80.0 %)",
        ),
        (finding("regressed", change=0.0025, at_best=0.015), "1/400 of it (at best -98.5 %)"),
        (finding("regressed", "latency_p50_ms", change=5e12), "over a million times as much"),
        (finding("regressed", change=1e-12), "less than a millionth"),
        (finding("regressed", "recall_at_10", change=-0.013, at_best=-0.011), "-0.013 (at best -0.011)"),
        (finding("ok", change=1.0, at_worst=1.0), "+0.0 %"),
        (finding("missing"), ""),
    ],
)
def test_changes_in_words(found: Finding, text: str) -> None:
    assert change_text(found) == text


def test_what_passed_says_what_would_have_failed() -> None:
    passed = finding(
        "within noise", baseline=100.0, current=90.0, change=0.9, at_best=1.1, at_worst=0.7, caught=0.66
    )
    assert detail(passed) == "-10.0 % (at best +10.0 %, at worst -30.0 %), would have failed from -34.0 %"
    assert finding_text(passed).startswith("throughput 100 queries/s -> 90 queries/s, -10.0 %")
    assert finding_text(finding("missing", note="why")) == "throughput: why"
    assert finding_text(Finding("e", "", "", "", "", "missing", note="gone")) == "gone"


def test_no_figure_beyond_any_noise_is_called_noise() -> None:
    """The interval of a throughput that fell to a hundredth lies far below the tolerance."""
    report = gate(speed={"qdrant": 0.01}, arrivals=False)
    wrong = [
        f for f in report.findings if f.change is not None and f.change < 0.2 and f.verdict == "within noise"
    ]
    assert not wrong
    assert not re.search(r"\d{9}|e[+]\d\d", to_text(report) + to_markdown(report) + to_junit(report))


@pytest.mark.parametrize(
    ("options", "mark", "words"),
    [
        ({}, "✅", "The gate passed"),
        ({"speed": {"qdrant": 0.4}}, "❌", "The gate failed"),
        ({"trials": 1, "arrivals": False}, "⚠️", "The gate is inconclusive"),
    ],
)
def test_markdown_puts_the_verdict_first(options: dict[str, Any], mark: str, words: str) -> None:
    report = gate(**options)
    assert to_markdown(report).startswith(f"## {mark} {words}")
    assert to_text(report).splitlines()[-1].startswith(words)


def test_markdown_is_safe() -> None:
    text = to_markdown(nasty())
    assert "<script" not in text
    for line in text.splitlines():
        if line.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", line)) in (5, 6), line


def test_what_holds_over_all_cells_is_not_repeated_for_each() -> None:
    report = gate(speed={"qdrant": 0.3})
    text = to_text(report)
    assert sum(f.verdict == "regressed" for f in report.findings) > text.count("regressed ")
    assert "all filters: throughput" in text
    assert "· brand: throughput" not in text
    assert text.splitlines()[-1] == report.sentence


def test_each_metric_says_what_would_have_been_noticed() -> None:
    report = gate()
    metrics = {f.metric for f in report.findings if f.caught is not None}
    assert len(metrics) > 8
    text = to_text(report)
    start = text.index("Smallest change that would have failed")
    assert len(re.findall(r"^  \S.* to .*$", text[start:], re.MULTILINE)) == len(metrics)
    assert "<details><summary>The smallest change that would have failed</summary>" in to_markdown(report)


def test_markdown_and_text_are_cut_where_they_get_long() -> None:
    many = tuple(
        Finding(f"engine-{i}", "", "t", "f", "throughput_qps", "regressed", note="slow") for i in range(80)
    )
    quiet = tuple(finding("within noise") for _ in range(2))
    report = GateReport(("a",), "b", many + quiet, forced=("hardware: x became y",), notes=("a note",))
    assert "... and 30 more" in to_text(report)
    assert "compared although hardware: x became y" in to_text(report)
    text = to_markdown(report)
    assert "... and 30 more" in text
    assert "> **Compared although** hardware: x became y" in text
    assert "> a note" in text
    assert "<details><summary>2 changes within noise, or not comparable</summary>" in text
    assert "more" not in to_markdown(GateReport(("a",), "b", many[:2]))
    nothing = GateReport(("a",), "b", ())
    assert to_text(nothing).splitlines()[0] == "nothing to compare"
    assert nothing.outcome == "inconclusive"


def test_junit_holds_every_finding() -> None:
    report = nasty()
    root = ET.fromstring(to_junit(report))
    cases = root.findall(".//testcase")
    assert len(cases) == len(report.findings)
    assert len(root.findall(".//failure")) == sum(f.fails for f in report.findings)
    suites = {suite.get("name"): suite for suite in root.findall("testsuite")}
    assert set(suites) == {"faiss-hnsw", NASTY.replace("\x00", "\ufffd")}
    for suite in suites.values():
        assert int(suite.get("tests", 0)) == len(suite.findall("testcase"))
        assert int(suite.get("failures", 0)) == len(suite.findall(".//failure"))
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == len(names)


def test_junit_reports_what_is_inconclusive_as_an_error_unless_it_is_allowed() -> None:
    report = gate(trials=1, arrivals=False)
    root = ET.fromstring(to_junit(report))
    assert len(root.findall(".//error")) == report.undecided > 0
    allowed = ET.fromstring(to_junit(report, allow_inconclusive=True))
    assert not allowed.findall(".//error")
    messages = [entry.get("message") or "" for entry in allowed.findall(".//skipped")]
    assert sum(message.startswith("inconclusive") for message in messages) >= report.undecided
