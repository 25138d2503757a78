import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from harness.errors import ConfigurationError
from harness.results.result import Measurement, RunResult
from reports.gate.cells import worsening
from reports.gate.compare import GateReport, compare, to_junit, to_markdown, to_text
from reports.gate.rows import Row
from tests.unit.results import ENGINES, build, edit, failed, with_metrics

TWO = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}


def gate(change: Callable[[Measurement], Measurement | None] | None = None, **options: Any) -> GateReport:
    """A run against another of the same engines, with fresh noise and `change` applied to its cells."""
    known = ("tolerance", "force")
    current = build(seed=8, engines=TWO, **{key: value for key, value in options.items() if key not in known})
    shape = {key: options[key] for key in ("arrivals",) if key in options}
    baseline = build(seed=7, engines=TWO, **shape).model_copy(update={"name": "baseline"})
    return compare(
        baseline,
        edit(current, change) if change else current,
        **{key: value for key, value in options.items() if key in known},
    )


def rows(report: GateReport, *verdicts: str) -> list[Row]:
    return [row for row in report.rows if row.verdict in verdicts]


def test_the_same_again_passes() -> None:
    report = gate()
    assert not report.failed
    assert len(report.rows) > 100
    assert report.sentence.startswith("The gate passed")


def test_noise_alone_rarely_fails_it() -> None:
    """Noise from trial to trial as large as the tolerance, some 150 comparisons a run.

    Without correction for their number most runs would have a "significant" change beyond the tolerance;
    with it 5 % of the runs may.
    """
    runs = [build(seed=seed, noise=0.1, engines=TWO) for seed in range(40)]
    reports = [compare(runs[i], runs[i + 1]) for i in range(0, 40, 2)]
    doubtful = [
        any((r.p_value or 1) < 0.05 and abs(worsening(r)) > 0.1 for r in report.rows) for report in reports
    ]
    assert sum(doubtful) >= 10
    assert sum(bool(rows(report, "regressed")) for report in reports) <= 3


def test_an_engine_a_third_slower_fails_it() -> None:
    report = gate(speed={"qdrant": 0.67})
    assert report.failed
    worse = rows(report, "regressed")
    assert {row.engine for row in worse} == {"qdrant"}
    row = next(
        r for r in worse if (r.metric, r.where, r.settings) == ("throughput_qps", "all filters", "hnsw_ef=16")
    )
    assert row.change == pytest.approx(0.67, abs=0.04)
    assert row.low is not None
    assert row.high is not None
    assert row.low < 0.67 < row.high < 0.9


def test_one_filter_alone_can_fail_it() -> None:
    def slower(cell: Measurement) -> Measurement:
        if cell.engine == "qdrant" and cell.filter == "brand" and cell.executor == "closed_loop":
            return with_metrics(cell, throughput_qps=(cell.metrics["throughput_qps"] or 0) * 0.4)
        return cell

    worse = [row for row in rows(gate(slower), "regressed") if row.where == "brand"]
    assert {row.metric for row in worse} == {"throughput_qps"}
    assert {row.settings for row in worse} == {"hnsw_ef=16", "hnsw_ef=64", "hnsw_ef=256"}


def test_a_loss_within_the_tolerance_passes() -> None:
    assert gate(speed={"qdrant": 0.7}, tolerance=0.05).failed
    assert not rows(gate(speed={"qdrant": 0.93}, tolerance=0.15, arrivals=False), "regressed")
    assert not rows(gate(speed={"qdrant": 0.7}, tolerance={"default": 9.0}), "regressed")


def test_tolerances_by_metric() -> None:
    loose = {"default": 9.0, "throughput_qps": 0.05}
    worse = rows(gate(speed={"qdrant": 0.8}, tolerance=loose, arrivals=False), "regressed")
    assert {row.metric for row in worse} == {"throughput_qps"}


def test_a_loss_within_the_noise_passes() -> None:
    report = compare(
        build(seed=7, engines=TWO, noise=0.4), build(seed=8, engines=TWO, noise=0.4, speed={"qdrant": 0.75})
    )
    assert rows(report, "within noise")
    assert not rows(report, "regressed")


def test_improvements_are_told_apart() -> None:
    report = gate(speed={"qdrant": 1.5}, arrivals=True)
    better = rows(report, "improved")
    assert {row.engine for row in better} == {"qdrant"}
    assert {"throughput_qps", "latency_p50_ms", "cpu_s_per_1000"} <= {row.metric for row in better}
    assert not report.failed


def test_recall_has_its_own_tolerance() -> None:
    """Two points of recall are within 10 % and far too much."""

    def worse(cell: Measurement) -> Measurement:
        recall = cell.metrics.get("recall_at_10")
        return with_metrics(cell, recall_at_10=recall - 0.02) if recall and cell.engine == "qdrant" else cell

    lost = rows(gate(worse), "regressed")
    assert {row.metric for row in lost} == {"recall_at_10"}
    assert lost[0].change == pytest.approx(-0.02, abs=0.001)
    assert not rows(gate(worse, tolerance={"recall_at_10": 0.05}), "regressed")


@pytest.mark.parametrize("metric", ["violations", "ghosts", "duplicates", "errors", "timeouts"])
def test_counts_may_not_rise_from_zero(metric: str) -> None:
    def one(cell: Measurement) -> Measurement:
        first = (
            cell.engine == "qdrant"
            and cell.executor == "closed_loop"
            and cell.filter == "none"
            and cell.trial == 1
        )
        return with_metrics(cell, **{metric: 1.0}) if first else cell

    worse = rows(gate(one), "regressed")
    assert {row.metric for row in worse} == {metric}
    assert (worse[0].baseline, worse[0].current) == (0, 1)


def test_counts_that_were_not_zero_may_stay() -> None:
    def several(count: float) -> Callable[[Measurement], Measurement]:
        return lambda c: with_metrics(c, timeouts=count) if c.engine == "qdrant" and c.kind == "search" else c

    baseline = edit(build(engines=TWO), several(20.0))
    assert not rows(compare(baseline, edit(build(engines=TWO), several(21.0))), "regressed")
    assert rows(compare(baseline, edit(build(engines=TWO), several(30.0))), "regressed")


def test_an_engine_that_is_gone_fails_it_in_one_row() -> None:
    report = gate(lambda cell: None if cell.engine == "qdrant" else cell)
    missing = rows(report, "missing")
    assert [row.name for row in missing] == ["qdrant"]
    assert report.failed


def test_a_cell_that_is_gone_fails_it() -> None:
    report = gate(
        lambda c: None if c.engine == "qdrant" and c.filter == "brand" and c.kind == "search" else c
    )
    assert {row.where for row in rows(report, "missing")} == {"brand"}


def test_a_cell_that_fails_now_fails_it() -> None:
    report = gate(
        lambda c: (
            failed(c, "Boom: no more memory") if c.engine == "qdrant" and c.kind == "index" and c.trial else c
        )
    )
    assert [(row.task, row.note) for row in rows(report, "failed")] == [
        ("index", "trial 2: Boom: no more memory")
    ]


def test_what_failed_before_is_not_comparable() -> None:
    def broken(cell: Measurement) -> Measurement:
        return (
            failed(cell, "unsupported: no deletes")
            if cell.engine == "qdrant" and cell.kind == "updates"
            else cell
        )

    baseline = edit(build(engines=TWO), broken)
    both = compare(baseline, edit(build(seed=8, engines=TWO), broken))
    assert not both.failed
    assert [row.task for row in rows(both, "not comparable")] == ["updates"]
    mended = compare(baseline, build(seed=8, engines=TWO))
    assert not mended.failed


def test_a_percentile_lost_to_too_few_requests_is_not_a_failure() -> None:
    """The throughput of the same cell says how much slower it is."""
    report = gate(
        lambda c: with_metrics(c, {"latency_p99_ms": "900 requests are too few"}, latency_p99_ms=None)
    )
    assert {row.metric for row in rows(report, "not comparable")} == {"latency_p99_ms"}
    assert not report.failed


def test_another_metric_that_is_gone_is_a_failure() -> None:
    report = gate(
        lambda c: with_metrics(c, {"disk_bytes": "unknown"}, disk_bytes=None) if c.kind == "index" else c
    )
    assert [(row.engine, row.metric, row.note) for row in rows(report, "missing")] == [
        ("qdrant", "disk_bytes", "unknown")
    ]


def test_zero_has_no_ratio() -> None:
    def idle(cell: Measurement) -> Measurement:
        return with_metrics(cell, cpu_s_per_1000=0.0) if cell.executor == "closed_loop" else cell

    zero = compare(edit(build(engines=TWO), idle), edit(build(seed=8, engines=TWO), idle))
    notes = {row.note for row in rows(zero, "not comparable") if row.metric == "cpu_s_per_1000"}
    assert notes == {"a value of 0 has no ratio"}
    assert not zero.failed
    one_side = compare(build(engines=TWO), edit(build(seed=8, engines=TWO), idle))
    assert "a value of 0" in {
        row.note for row in rows(one_side, "not comparable") if row.where == "all filters"
    }


def test_what_is_new_is_only_mentioned() -> None:
    report = compare(build(engines=TWO), build(seed=8, engines=TWO | {"milvus": ENGINES["milvus"]}))
    assert [row.name for row in rows(report, "new")] == ["milvus"]
    more = edit(build(engines=TWO), lambda c: None if c.filter == "brand" and c.engine == "qdrant" else c)
    added = rows(compare(more, build(seed=8, engines=TWO)), "new")
    assert {row.where for row in added} == {"brand"}
    assert not report.failed


def test_one_trial_cannot_fail_a_timing() -> None:
    report = gate(trials=1, speed={"qdrant": 0.3}, arrivals=False)
    assert rows(report, "noise unknown")
    assert not rows(report, "regressed")
    assert any("has a single trial, so its noise is unknown" in note for note in report.notes)


def test_an_operating_point_that_moves_is_compared_all_the_same() -> None:
    def moved(cell: Measurement) -> Measurement:
        params = cell.params | {"search": {"hnsw_ef": 256}}
        return cell.model_copy(update={"params": params}) if cell.executor == "arrival_rate" else cell

    report = gate(lambda cell: moved(cell) if cell.engine == "qdrant" else cell)
    assert not rows(report, "missing")
    assert {row.settings for row in report.rows if row.task == "offered-load" and row.engine == "qdrant"} == {
        ""
    }


@pytest.mark.parametrize(
    ("what", "path", "value", "text"),
    [
        ("scenario", ("scenario", "k"), 100, "k differs"),
        ("scenario", ("scenario", "tasks"), [], "tasks differs"),
        ("dataset", ("dataset", "fingerprint"), "other", "feedbeeffeedbeef became other"),
        ("hardware", ("environment", "fingerprint"), "other", "00c0ffee00c0ffee became other"),
    ],
)
def test_refuses_runs_that_differ(what: str, path: tuple[str, str], value: Any, text: str) -> None:
    current = build(seed=8, engines=TWO)
    current = current.model_copy(update={path[0]: getattr(current, path[0]) | {path[1]: value}})
    with pytest.raises(ConfigurationError, match=re.escape(text)) as refused:
        compare(build(engines=TWO), current)
    assert refused.value.exit_code == 104
    assert f"--force {what}" in str(refused.value)
    for force in (True, (what,)):
        assert compare(build(engines=TWO), current, force=force).forced == (f"{what}: {text}",)
    other = next(name for name in ("scenario", "dataset", "hardware") if name != what)
    with pytest.raises(ConfigurationError):
        compare(build(engines=TWO), current, force=(other,))


def test_every_difference_is_reported_at_once() -> None:
    current = build(seed=8, engines=TWO)
    environment = current.environment | {"fingerprint": "x", "cpu": "Another CPU"}
    changes = {"environment": environment, "dataset": current.dataset | {"fingerprint": "y", "name": "mine"}}
    with pytest.raises(ConfigurationError) as refused:
        compare(build(engines=TWO), current.model_copy(update=changes))
    assert len(refused.value.problems) == 2
    assert "AMD EPYC 7B13 became Another CPU" in str(refused.value)


def test_trials_limits_and_rules_may_differ() -> None:
    current = build(seed=8, engines=TWO, trials=4, requirements=("recall >= 0.9",))
    assert not compare(build(engines=TWO), current).forced


def lose_recall(cell: Measurement) -> Measurement:
    return with_metrics(cell, recall_at_10=0.9) if cell.engine == "qdrant" and cell.kind == "search" else cell


def test_a_requirement_that_held_and_breaks_fails_it() -> None:
    report = compare(
        build(engines=TWO), edit(build(seed=8, engines=TWO), lose_recall), tolerance={"recall_at_10": 0.5}
    )
    broken = rows(report, "broken")
    assert [row.engine for row in broken] == ["qdrant"]
    assert broken[0].note.startswith("recall@10 is 0.900 (")


def test_a_requirement_that_never_held_fails_only_when_nothing_meets_it() -> None:
    before, after = edit(build(engines=TWO), lose_recall), edit(build(seed=8, engines=TWO), lose_recall)
    report = compare(before, after)
    assert not report.failed
    assert any(row.note.startswith("not met before either") for row in report.rows)
    only = {"qdrant": ENGINES["qdrant"]}
    alone = [edit(build(seed=seed, engines=only), lose_recall) for seed in (7, 8)]
    assert [row.engine for row in rows(compare(*alone), "broken")] == ["qdrant"]
    mended = compare(before, build(seed=8, engines=TWO))
    assert "requirements" in {row.task for row in rows(mended, "improved")}


def test_a_requirement_too_close_to_call_does_not_fail_it() -> None:
    recalls = (0.945, 0.949, 0.954)
    close = edit(
        build(seed=8, engines=TWO),
        lambda c: with_metrics(c, recall_at_10=recalls[c.trial]) if c.engine == "qdrant" else c,
    )
    report = compare(build(engines=TWO), close, tolerance={"recall_at_10": 0.5})
    assert not rows(report, "broken")
    assert "too close to call" in {row.note for row in report.rows}


def test_an_engine_without_searches_has_its_requirements_broken() -> None:
    report = gate(lambda c: None if c.engine == "qdrant" and c.kind == "search" else c)
    assert [row.note for row in rows(report, "broken")] == ["it was not measured"]


def test_an_interrupted_run_is_mentioned() -> None:
    current = build(seed=8, engines=TWO).model_copy(update={"finished_at": None})
    assert any("is not complete" in note for note in compare(build(engines=TWO), current).notes)


NASTY = 'a|b<script>alert("x")</script>`*_&\x00\n#'


def nasty() -> GateReport:
    def run(seed: int, **options: Any) -> RunResult:
        engines = {"faiss-hnsw": TWO["faiss-hnsw"], NASTY: TWO["qdrant"]}
        return build(seed=seed, engines=engines, **options)

    broken = edit(
        run(8, speed={NASTY: 0.5}),
        lambda c: failed(c, f"Boom {NASTY}") if c.engine == NASTY and c.kind == "updates" else c,
    )
    return compare(run(7), broken)


def test_markdown_puts_the_verdict_first_and_is_safe() -> None:
    text = to_markdown(nasty())
    assert text.startswith("## ❌ The gate failed")
    assert "<script" not in text
    for line in text.splitlines():
        if line.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", line)) == 6, line
    assert to_markdown(gate()).startswith("## ✅ The gate passed")


def test_what_holds_over_all_filters_is_not_repeated_for_each() -> None:
    report = gate(speed={"qdrant": 0.5})
    text = to_text(report)
    assert len(rows(report, "regressed")) > text.count("regressed ")
    assert "all filters: throughput" in text
    assert "· brand: throughput" not in text
    assert text.splitlines()[-1] == report.sentence


def test_markdown_and_text_are_cut_where_they_get_long() -> None:
    many = tuple(
        Row(f"engine-{i}", "", "t", "f", "throughput_qps", "regressed", note="slow") for i in range(80)
    )
    quiet = tuple(Row("e", "", "t", "f", "throughput_qps", "within noise") for _ in range(2))
    report = GateReport("a", "b", many + quiet, forced=("hardware: x became y",), notes=("a note",))
    assert "... and 30 more" in to_text(report)
    assert "compared although hardware: x became y" in to_text(report)
    text = to_markdown(report)
    assert "... and 30 more" in text
    assert "> **Compared although** hardware: x became y" in text
    assert "> a note" in text
    assert "<details><summary>2 changes within noise, or not comparable</summary>" in text
    assert to_text(GateReport("a", "b", ())).splitlines()[0] == "nothing to compare"


def test_junit_holds_every_row() -> None:
    report = nasty()
    root = ET.fromstring(to_junit(report))
    cases = root.findall(".//testcase")
    assert len(cases) == len(report.rows)
    assert len(root.findall(".//failure")) == sum(row.fails for row in report.rows)
    suites = {suite.get("name"): suite for suite in root.findall("testsuite")}
    assert set(suites) == {"faiss-hnsw", NASTY.replace("\x00", "\ufffd")}
    for suite in suites.values():
        assert int(suite.get("tests", 0)) == len(suite.findall("testcase"))
        assert int(suite.get("failures", 0)) == len(suite.findall(".//failure"))
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == len(names)
    skipped = ET.fromstring(to_junit(gate(trials=1))).findall(".//skipped")
    assert any("noise unknown" in (entry.get("message") or "") for entry in skipped)
