"""What the gate finds in runs whose noise and changes are known."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

from harness.results.result import Measurement, RunResult
from reports.gate.compare import compare
from reports.gate.findings import Finding, GateReport
from tests.unit.example_results import ENGINES, build, edit, failed, with_metrics

TWO = {name: ENGINES[name] for name in ("faiss-hnsw", "qdrant")}
Change = Callable[[Measurement], Measurement | None]


def gate(change: Change | None = None, **options: Any) -> GateReport:
    """A run against another of the same engines, with fresh noise and `change` applied to its cells."""
    known = {key: options.pop(key) for key in ("tolerance", "force", "run_offset") if key in options}
    current = build(seed=8, engines=TWO, **options)
    shape = {key: options[key] for key in ("arrivals", "trials", "noise") if key in options}
    baseline = build(seed=7, engines=TWO, **shape).model_copy(update={"name": "baseline"})
    return compare([baseline], edit(current, change) if change else current, **known)


def found(report: GateReport, *verdicts: str) -> list[Finding]:
    return [finding for finding in report.findings if finding.verdict in verdicts]


def closed_loop(cell: Measurement) -> bool:
    return cell.engine == "qdrant" and cell.executor == "closed_loop"


def scaled(cell: Measurement, metric: str, factor: float) -> Measurement:
    value = cell.metrics[metric]
    assert value is not None
    return with_metrics(cell, **{metric: value * factor})


def test_the_same_again_passes() -> None:
    report = gate()
    assert report.outcome == "passed"
    assert len(report.findings) > 100
    assert report.sentence.startswith("The gate passed")


# --- worse by more than the tolerance ---------------------------------------------------------------------------------


def test_an_engine_half_as_fast_fails_it() -> None:
    report = gate(speed={"qdrant": 0.5})
    assert report.outcome == "failed"
    worse = found(report, "regressed")
    assert {finding.engine for finding in worse} == {"qdrant"}
    whole = next(f for f in worse if f.whole and f.metric == "throughput_qps" and f.task == "throughput")
    assert (whole.settings, whole.filter) == ("all settings", "all filters")
    assert whole.change == pytest.approx(0.5, abs=0.02)
    assert whole.at_best is not None
    assert whole.at_worst is not None
    assert whole.at_worst < 0.5 < whole.at_best < 0.9


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
    whole = next(
        f for f in report.findings if f.whole and f.metric == "throughput_qps" and f.engine == "qdrant"
    )
    assert whole.caught is not None
    assert whole.change is not None
    for beyond, expected in ((0.99, "regressed"), (1.01, "within noise")):
        factor = whole.caught / whole.change * beyond

        def slower(cell: Measurement, factor: float = factor) -> Measurement:
            return scaled(cell, "throughput_qps", factor) if closed_loop(cell) else cell

        again = [f for f in gate(slower, arrivals=False).findings if f.name == whole.name]
        assert [f.verdict for f in again if f.metric == "throughput_qps"] == [expected]


# --- differences between runs -----------------------------------------------------------------------------------------


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


# --- trials that are lacking ------------------------------------------------------------------------------------------


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


# --- recall -----------------------------------------------------------------------------------------------------------


def test_recall_has_its_own_tolerance() -> None:
    """Two points of recall are within 10 % and far too much."""

    def worse(cell: Measurement) -> Measurement:
        recall = cell.metrics.get("recall_at_10")
        return with_metrics(cell, recall_at_10=recall - 0.02) if recall and cell.engine == "qdrant" else cell

    lost = found(gate(worse), "regressed")
    assert {finding.metric for finding in lost} == {"recall_at_10"}
    assert lost[0].change == pytest.approx(-0.02, abs=0.001)
    assert not found(gate(worse, tolerance={"recall_at_10": 0.05}), "regressed")


# --- counts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ["violations", "ghosts", "duplicates", "errors", "timeouts"])
def test_counts_may_not_rise_from_zero(metric: str) -> None:
    def one(cell: Measurement) -> Measurement:
        first = closed_loop(cell) and cell.filter == "none" and cell.trial == 1
        hit = first and cell.params["search"] == {"hnsw_ef": 16}
        return with_metrics(cell, **{metric: 1.0}) if hit else cell

    worse = found(gate(one), "regressed")
    assert {finding.metric for finding in worse} == {metric}
    assert [(f.baseline, f.current, f.filter) for f in worse] == [(0, 1, "all filters"), (0, 1, "none")]


def with_timeouts(count: float, queries: float) -> Change:
    def change(cell: Measurement) -> Measurement:
        return with_metrics(cell, timeouts=count, queries=queries) if cell.kind == "search" else cell

    return change


@pytest.mark.parametrize(
    ("before", "after", "outcome"),
    [
        ((20, 1000), (21, 1000), "passed"),
        ((20, 1000), (30, 1000), "failed"),
        ((20, 1000), (200, 10_000), "passed"),  # ten times the window, the same rate
        ((200, 10_000), (20, 1000), "passed"),
        ((200, 10_000), (40, 1000), "failed"),  # fewer events, of far fewer requests
        ((20, 1000), (5, 1000), "passed"),
    ],
)
def test_counts_are_compared_as_rates(
    before: tuple[float, float], after: tuple[float, float], outcome: str
) -> None:
    runs = [edit(build(engines=TWO), with_timeouts(*values)) for values in (before, after)]
    report = compare([runs[0]], runs[1])
    counted = [finding for finding in report.findings if finding.metric == "timeouts" and finding.baseline]
    assert ("regressed" in {finding.verdict for finding in counted}) == (outcome == "failed")
    assert all(finding.caught is not None and finding.caught > 1.1 for finding in counted)
    assert all(finding.at_best is not None and finding.at_best < (finding.change or 0) for finding in counted)
    whole = counted[0]
    assert whole.change == pytest.approx(after[0] / after[1] / (before[0] / before[1]))


@pytest.mark.parametrize(("rechecked", "failing"), [(64.0, True), (640.0, False)])
def test_changed_answers_are_compared_out_of_those_looked_at_again(rechecked: float, failing: bool) -> None:
    """More of them are more of the same where more were looked at, and a rise where not, whatever the requests."""

    def change(changed: float, of: float) -> Change:
        def altered(cell: Measurement) -> Measurement:
            counts = {"changed_answers": changed, "rechecked_answers": of, "queries": 100_000.0}
            return with_metrics(cell, **counts) if closed_loop(cell) else cell

        return altered

    same = build(engines=TWO)
    baseline = edit(same, change(2.0, 64.0))
    report = compare([baseline], edit(same, change(20.0, rechecked)))
    worse = [f for f in found(report, "regressed") if f.metric == "changed_answers"]
    assert bool(worse) == failing


def test_events_that_come_in_bursts_are_no_proof() -> None:
    """All time-outs of a cell at once in one of its trials: twice as many are chance, and proof if they are steady."""
    steady, bursts = ((6.0, 6.0, 6.0), (12.0, 12.0, 12.0)), ((0.0, 0.0, 18.0), (0.0, 36.0, 0.0))

    def run(kind: int, side: int) -> RunResult:
        values = (steady, bursts)[kind][side]
        return edit(
            build(engines=TWO, arrivals=False),
            lambda c: with_metrics(c, timeouts=values[c.trial], queries=1000.0) if closed_loop(c) else c,
        )

    assert found(compare([run(0, 0)], run(0, 1)), "regressed")
    assert not found(compare([run(1, 0)], run(1, 1)), "regressed")


def test_rare_events_that_one_cell_had_none_of_before_are_chance() -> None:
    def rare(first: str) -> Change:
        def change(cell: Measurement) -> Measurement:
            return with_metrics(
                cell, timeouts=float(closed_loop(cell) and cell.filter == first), queries=1000.0
            )

        return lambda cell: change(cell) if cell.kind == "search" else cell

    runs = [edit(build(engines=TWO), rare(name)) for name in ("none", "brand")]
    report = compare(runs[:1], runs[1])
    assert not found(report, "regressed")
    assert {f.filter for f in found(report, "within noise") if f.metric == "timeouts"} == {"brand"}


def test_windows_whose_requests_were_not_counted_count_the_same() -> None:
    def uncounted(events: float) -> Change:
        return lambda c: (
            c.model_copy(update={"metrics": {**c.metrics, "ghosts": events, "queries": None}})
            if c.kind == "updates"
            else c
        )

    many, more = (edit(build(engines=TWO), uncounted(events)) for events in (100.0, 200.0))
    assert not found(compare([many], many), "regressed")
    assert {f.metric for f in found(compare([many], more), "regressed")} == {"ghosts"}


# --- cells that are gone, new or fail ---------------------------------------------------------------------------------


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


# --- values of zero ---------------------------------------------------------------------------------------------------


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


# --- the operating point and the requirements -------------------------------------------------------------------------


def test_an_operating_point_that_moves_is_compared_all_the_same() -> None:
    def moved(cell: Measurement) -> Measurement:
        params = cell.params | {"search": {"hnsw_ef": 256}}
        hit = cell.engine == "qdrant" and cell.executor == "arrival_rate"
        return cell.model_copy(update={"params": params}) if hit else cell

    report = gate(moved)
    assert not found(report, "missing")
    settings = {f.settings for f in report.findings if f.task == "offered-load" and f.engine == "qdrant"}
    assert settings == {""}


def lose_recall(cell: Measurement) -> Measurement:
    return with_metrics(cell, recall_at_10=0.9) if cell.engine == "qdrant" and cell.kind == "search" else cell


def test_a_requirement_that_held_and_breaks_fails_it() -> None:
    report = compare(
        [build(engines=TWO)], edit(build(seed=8, engines=TWO), lose_recall), tolerance={"recall_at_10": 0.5}
    )
    broken = found(report, "broken")
    assert [finding.engine for finding in broken] == ["qdrant"]
    assert broken[0].note.startswith("recall@10 is 0.900 (")


def test_a_requirement_that_never_held_fails_only_when_nothing_meets_it() -> None:
    before, after = edit(build(engines=TWO), lose_recall), edit(build(seed=8, engines=TWO), lose_recall)
    report = compare([before], after)
    assert report.outcome == "passed"
    assert any(finding.note.startswith("not met before either") for finding in report.findings)
    only = {"qdrant": ENGINES["qdrant"]}
    alone = [edit(build(seed=seed, engines=only), lose_recall) for seed in (7, 8)]
    assert [finding.engine for finding in found(compare(alone[:1], alone[1]), "broken")] == ["qdrant"]
    mended = compare([before], build(seed=8, engines=TWO))
    assert "requirements" in {finding.task for finding in found(mended, "improved")}


def test_a_requirement_too_close_to_call_does_not_fail_it() -> None:
    recalls = (0.945, 0.949, 0.954)
    close = edit(
        build(seed=8, engines=TWO),
        lambda c: with_metrics(c, recall_at_10=recalls[c.trial]) if c.engine == "qdrant" else c,
    )
    report = compare([build(engines=TWO)], close, tolerance={"recall_at_10": 0.5})
    assert not found(report, "broken")
    assert "too close to call" in {finding.note for finding in report.findings}


def test_an_engine_without_searches_has_its_requirements_broken() -> None:
    report = gate(lambda c: None if c.engine == "qdrant" and c.kind == "search" else c)
    assert [finding.note for finding in found(report, "broken")] == ["it was not measured"]


def test_an_interrupted_run_is_mentioned() -> None:
    current = build(seed=8, engines=TWO).model_copy(update={"finished_at": None})
    assert any("is not complete" in note for note in compare([build(engines=TWO)], current).notes)
