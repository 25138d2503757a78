"""Figures: worse by more than the tolerance, beyond the noise of trials and runs?"""

from __future__ import annotations

from typing import Any

import pytest

from harness.results.result import Measurement, RunResult
from reports.gate.compare import compare
from reports.gate.findings import GateReport
from tests.unit.example_results import build, edit, with_metrics
from tests.unit.reports.gate.compared import TWO, closed_loop, found, gate, scaled


def test_the_same_again_passes() -> None:
    report = gate()
    assert report.outcome == "passed"
    assert len(report.findings) > 100
    assert report.sentence.startswith("The gate passed")


def test_an_engine_half_as_fast_fails_it() -> None:
    report = gate(speed={"qdrant": 0.5})
    assert report.outcome == "failed"
    worse = found(report, "regressed")
    assert {finding.engine for finding in worse} == {"qdrant"}
    overall = next(
        f for f in worse if f.over_cells and f.metric == "throughput_qps" and f.task == "throughput"
    )
    assert (overall.settings, overall.filter) == ("all settings", "all filters")
    assert overall.change == pytest.approx(0.5, abs=0.02)
    assert overall.at_best is not None
    assert overall.at_worst is not None
    assert overall.at_worst < 0.5 < overall.at_best < 0.9


@pytest.mark.parametrize("elsewhere", [1.0, 1.5, 3.0])
def test_improvements_elsewhere_fail_nothing(elsewhere: float) -> None:
    """Testing "no change" and then filtering by tolerance, noise near the tolerance becomes an alarm once the
    improvements have relaxed the correction.
    """
    for seed in range(10):
        report = compare(
            [build(seed=seed, engines=TWO, noise=0.08)],
            build(seed=seed + 100, engines=TWO, noise=0.08, speed={"faiss-hnsw": elsewhere}),
        )
        assert not found(report, "regressed", "broken")


def test_one_filter_alone_can_fail_it() -> None:
    def slower(cell: Measurement) -> Measurement:
        return scaled(cell, "throughput_qps", 0.4) if closed_loop(cell) and cell.filter == "brand" else cell

    worse = [finding for finding in found(gate(slower), "regressed") if finding.filter == "brand"]
    assert {finding.metric for finding in worse} == {"throughput_qps"}
    assert {finding.settings for finding in worse} == {"hnsw_ef=16", "hnsw_ef=64", "hnsw_ef=256"}


def test_a_loss_within_the_tolerance_is_ok_where_the_noise_is_small() -> None:
    report = gate(speed={"qdrant": 0.95}, tolerance=0.5, arrivals=False, run_offset=0.01)
    slower = [f for f in report.findings if f.engine == "qdrant" and f.metric == "throughput_qps"]
    assert slower
    assert {finding.verdict for finding in slower} == {"ok"}


def test_the_tolerance_is_what_is_tested() -> None:
    options: dict[str, Any] = {"speed": {"qdrant": 0.7}, "arrivals": False, "run_offset": 0.01}
    assert gate(tolerance=0.15, **options).outcome == "failed"
    assert gate(tolerance=0.5, **options).outcome == "passed"
    assert gate(tolerance={"default": 9.0}, **options).outcome == "passed"
    loose = {"default": 9.0, "throughput_qps": 0.15}
    worse = found(gate(tolerance=loose, **options), "regressed")
    assert {finding.metric for finding in worse} == {"throughput_qps"}


def test_a_loss_within_the_noise_passes() -> None:
    report = gate(noise=0.08, speed={"qdrant": 0.8}, arrivals=False)
    assert found(report, "within noise")
    assert not found(report, "regressed")


def test_improvements_are_told_apart() -> None:
    report = gate(speed={"qdrant": 3.0})
    better = found(report, "improved")
    assert {finding.engine for finding in better} == {"qdrant"}
    assert {"throughput_qps", "latency_p50_ms", "cpu_s_per_1000"} <= {finding.metric for finding in better}
    assert report.outcome == "passed"


def test_what_would_have_been_caught_is_caught() -> None:
    """Each finding names the smallest change that fails: just beyond it fails, just short of it passes."""
    report = gate(arrivals=False)
    overall = next(
        f for f in report.findings if f.over_cells and f.metric == "throughput_qps" and f.engine == "qdrant"
    )
    assert overall.caught is not None
    assert overall.change is not None
    for beyond, expected in ((0.99, "regressed"), (1.01, "within noise")):
        factor = overall.caught / overall.change * beyond

        def slower(cell: Measurement, factor: float = factor) -> Measurement:
            return scaled(cell, "throughput_qps", factor) if closed_loop(cell) else cell

        again = [f for f in gate(slower, arrivals=False).findings if f.name == overall.name]
        assert [f.verdict for f in again if f.metric == "throughput_qps"] == [expected]


def test_a_whole_run_that_is_slower_by_chance_fails_nothing_and_more_fails() -> None:
    slow = dict.fromkeys(TWO, 0.85)
    assert gate(speed=slow, arrivals=False).outcome == "passed"
    assert gate(speed=slow, arrivals=False, run_offset=0.005, tolerance=0.05).outcome == "failed"


def test_several_baselines_find_smaller_changes() -> None:
    runs = [build(seed=seed, engines=TWO, arrivals=False) for seed in range(6)]
    one, five = (compare(runs[5 - count : 5], runs[5]) for count in (1, 5))

    def caught(report: GateReport) -> float:
        values = [f.caught for f in report.findings if f.metric == "throughput_qps" and f.caught is not None]
        return max(values)

    assert caught(five) > caught(one) + 0.02


def test_baselines_that_differ_by_more_than_was_stated_widen_the_noise() -> None:
    def runs(*speeds: float) -> list[RunResult]:
        return [
            build(seed=seed, engines=TWO, arrivals=False, speed=dict.fromkeys(TWO, speed))
            for seed, speed in enumerate(speeds)
        ]

    slow = build(seed=9, engines=TWO, arrivals=False, speed=dict.fromkeys(TWO, 0.65))
    steady, varying = (compare(runs(*speeds), slow) for speeds in ((1, 1, 1, 1), (0.7, 1.4, 0.8, 1.2)))
    assert steady.outcome == "failed"
    assert varying.outcome != "failed"
    assert any("Runs of the baseline differ by up to" in note for note in varying.notes)
    assert not any("Runs of the baseline" in note for note in gate().notes)


def lost_trials(cell: Measurement) -> Measurement | None:
    """As a run does that `budget_s` cuts short."""
    return cell if cell.trial == 0 else None


def test_a_run_that_lost_trials_and_is_forty_times_slower_fails() -> None:
    report = gate(lost_trials, speed={"qdrant": 1 / 40}, arrivals=False)
    worse = found(report, "regressed")
    assert {finding.engine for finding in worse} == {"qdrant"}
    assert {"throughput_qps", "cpu_s_per_1000", "index_vectors_per_s"} <= {
        finding.metric for finding in worse
    }


def test_a_run_that_lost_trials_and_is_the_same_passes() -> None:
    assert gate(lost_trials, arrivals=False).outcome == "passed"
    runs = [build(seed=seed, engines=TWO, arrivals=False) for seed in (7, 8)]
    swapped = compare([edit(runs[0], lost_trials)], runs[1])
    assert swapped.outcome != "failed"


def test_single_trials_are_inconclusive_unless_the_change_is_beyond_any_noise() -> None:
    same = gate(trials=1, arrivals=False)
    assert same.outcome == "inconclusive"
    assert any("No run has a second trial" in note for note in same.notes)
    assert "noise is too large to judge" in same.sentence
    assert gate(trials=1, arrivals=False, speed={"qdrant": 0.6}).outcome == "inconclusive"
    assert gate(trials=1, arrivals=False, speed={"qdrant": 1 / 40}).outcome == "failed"


def test_recall_and_counts_need_no_second_trial() -> None:
    def worse(cell: Measurement) -> Measurement:
        recall = cell.metrics.get("recall_at_10")
        return with_metrics(cell, recall_at_10=recall - 0.03) if recall and cell.engine == "qdrant" else cell

    lost = found(gate(worse, trials=1, arrivals=False), "regressed")
    assert {finding.metric for finding in lost} == {"recall_at_10"}
    late = gate(lambda c: with_metrics(c, violations=1.0) if closed_loop(c) else c, trials=1, arrivals=False)
    assert {finding.metric for finding in found(late, "regressed")} == {"violations"}


def test_noise_that_swamps_everything_is_inconclusive() -> None:
    report = gate(noise=1.5, arrivals=False)
    assert report.outcome == "inconclusive"
    assert report.undecided == len([f for f in found(report, "inconclusive") if f.decides])


def test_a_noisy_cell_is_not_decisive_where_all_cells_together_were_judged() -> None:
    noise = iter([0.2, 1.0, 5.0])

    def one_cell(cell: Measurement) -> Measurement:
        if closed_loop(cell) and cell.filter == "brand" and cell.params["search"] == {"hnsw_ef": 64}:
            return scaled(cell, "throughput_qps", next(noise))
        return cell

    report = gate(one_cell, arrivals=False)
    unclear = [f for f in found(report, "inconclusive") if f.metric == "throughput_qps"]
    assert [(f.filter, f.decides) for f in unclear] == [("brand", False)]
    assert report.outcome == "passed"


def test_runs_without_a_common_figure_are_inconclusive() -> None:
    empty = build(engines=TWO).model_copy(update={"measurements": []})
    report = compare([empty], build(engines=TWO))
    assert report.outcome == "inconclusive"
    assert "no figure of" in report.sentence
    both = compare([empty], empty)
    assert {finding.task for finding in both.findings} == {"requirements"}
    assert both.outcome == "failed"  # no engine meets the requirements


def test_recall_has_its_own_tolerance() -> None:
    """Two points of recall are within 10 % and far too much."""

    def worse(cell: Measurement) -> Measurement:
        recall = cell.metrics.get("recall_at_10")
        return with_metrics(cell, recall_at_10=recall - 0.02) if recall and cell.engine == "qdrant" else cell

    lost = found(gate(worse), "regressed")
    assert {finding.metric for finding in lost} == {"recall_at_10"}
    assert lost[0].change == pytest.approx(-0.02, abs=0.001)
    assert not found(gate(worse, tolerance={"recall_at_10": 0.05}), "regressed")
