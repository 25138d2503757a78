"""Cells that are gone, new or fail; values of zero."""

from __future__ import annotations

import math

import pytest

from harness.results.result import Measurement
from reports.gate.compare import compare
from tests.unit.example_results import ENGINES, build, edit, failed, with_metrics
from tests.unit.reports.gate.compared import TWO, Change, found, gate


def test_an_engine_that_is_gone_fails_it_in_one_finding() -> None:
    report = gate(lambda cell: None if cell.engine == "qdrant" else cell)
    assert [finding.name for finding in found(report, "missing")] == ["qdrant"]
    assert report.outcome == "failed"


def test_a_cell_that_is_gone_fails_it() -> None:
    report = gate(
        lambda c: None if c.engine == "qdrant" and c.filter == "brand" and c.kind == "search" else c
    )
    assert {finding.filter for finding in found(report, "missing")} == {"brand"}


def test_what_any_baseline_measured_has_to_be_measured() -> None:
    runs = [build(seed=seed, engines=TWO) for seed in range(2)]
    fewer = edit(build(seed=5, engines=TWO), lambda c: None if c.engine == "qdrant" else c)
    assert compare([runs[0], fewer], runs[1]).outcome == "passed"
    assert [f.name for f in found(compare([runs[0], fewer], fewer), "missing")] == ["qdrant"]


def test_a_cell_that_fails_now_fails_it() -> None:
    def broken(cell: Measurement) -> Measurement:
        hit = cell.engine == "qdrant" and cell.kind == "index" and cell.trial
        return failed(cell, "Boom: no more memory") if hit else cell

    report = gate(broken)
    assert [(f.task, f.note) for f in found(report, "failed")] == [("index", "trial 2: Boom: no more memory")]


def test_what_failed_before_is_not_comparable() -> None:
    def broken(cell: Measurement) -> Measurement:
        hit = cell.engine == "qdrant" and cell.kind == "updates"
        return failed(cell, "unsupported: no deletes") if hit else cell

    baseline = edit(build(engines=TWO), broken)
    both = compare([baseline], edit(build(seed=8, engines=TWO), broken))
    assert both.outcome == "passed"
    notes = [(f.task, f.note) for f in found(both, "not comparable")]
    assert notes == [("updates", "failed in the baseline: unsupported: no deletes")]
    assert compare([baseline], build(seed=8, engines=TWO)).outcome == "passed"


def test_a_percentile_lost_to_too_few_requests_is_not_a_failure() -> None:
    """The throughput of the same cell says how much slower it is."""
    report = gate(
        lambda c: with_metrics(c, {"latency_p99_ms": "900 requests are too few"}, latency_p99_ms=None)
    )
    lost = found(report, "not comparable")
    assert {(finding.metric, finding.note) for finding in lost} == {
        ("latency_p99_ms", "900 requests are too few")
    }
    assert report.outcome == "passed"


def test_another_metric_that_is_gone_is_a_failure() -> None:
    report = gate(
        lambda c: with_metrics(c, {"disk_bytes": "unknown"}, disk_bytes=None) if c.kind == "index" else c
    )
    assert [(f.engine, f.metric, f.note) for f in found(report, "missing")] == [
        ("qdrant", "disk_bytes", "unknown")
    ]
    silent = gate(lambda c: with_metrics(c, disk_bytes=math.nan) if c.kind == "index" else c)
    assert [finding.note for finding in found(silent, "missing")] == ["not recorded"]


def test_what_is_new_is_only_mentioned() -> None:
    report = compare([build(engines=TWO)], build(seed=8, engines=TWO | {"milvus": ENGINES["milvus"]}))
    assert [finding.name for finding in found(report, "new")] == ["milvus"]
    fewer = edit(build(engines=TWO), lambda c: None if c.filter == "brand" and c.engine == "qdrant" else c)
    assert {f.filter for f in found(compare([fewer], build(seed=8, engines=TWO)), "new")} == {"brand"}
    assert report.outcome == "passed"


def zeroed(metric: str, trials: tuple[int, ...] = (0, 1, 2)) -> Change:
    def change(cell: Measurement) -> Measurement:
        hit = metric in cell.metrics and cell.trial in trials and cell.executor == "closed_loop"
        return with_metrics(cell, **{metric: 0.0}) if hit else cell

    return change


def test_a_throughput_of_zero_is_beyond_any_noise() -> None:
    report = compare([build(engines=TWO)], edit(build(seed=8, engines=TWO), zeroed("throughput_qps")))
    worse = found(report, "regressed")
    assert {(finding.metric, finding.note) for finding in worse} == {("throughput_qps", "it fell to 0")}


def test_zero_before_and_after_is_no_change() -> None:
    idle = [edit(build(seed=seed, engines=TWO), zeroed("cpu_s_per_1000")) for seed in (7, 8)]
    report = compare(idle[:1], idle[1])
    assert {f.note for f in found(report, "ok") if f.metric == "cpu_s_per_1000"} == {"0 in both"}
    assert report.outcome == "passed"


@pytest.mark.parametrize("trials", [(0, 1, 2), (1,)])
def test_zero_on_one_side_cannot_be_judged(trials: tuple[int, ...]) -> None:
    idle = edit(build(engines=TWO), zeroed("cpu_s_per_1000", trials))
    report = compare([idle], build(seed=8, engines=TWO))
    notes = {f.note for f in found(report, "inconclusive") if f.metric == "cpu_s_per_1000"}
    assert notes == {"a value of 0 has no ratio"}
    assert report.outcome == "inconclusive"
