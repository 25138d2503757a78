"""Each engine's figures in each run, and their changes."""

from __future__ import annotations

from statistics import geometric_mean

import pytest

from harness.results.result import Measurement, RunResult
from harness.results.stats import compare_ratios
from reports.comparison.figures import EngineFigures, Line
from reports.comparison.side_by_side import side_by_side
from tests.unit.example_results import ENGINES, build, edit, failed, with_metrics

ONE = {"qdrant": ENGINES["qdrant"]}
RUN = build(engines=ONE, seed=1)


def figures(*results: RunResult, engine: str = "qdrant") -> EngineFigures:
    view = side_by_side([(str(place), result) for place, result in enumerate(results)])
    return next(found for found in view.engines if found.engine == engine)


def line(found: EngineFigures, name: str) -> Line:
    return next(each for each in found.lines if each.name == name)


def test_figures_are_those_of_the_setting_that_is_shown() -> None:
    found = figures(RUN, RUN)
    assert found.settings == ("hnsw_ef=16",) * 2
    assert found.statuses == ("pick",) * 2
    none = [
        cell.metrics["throughput_qps"] or 0.0
        for cell in RUN.measurements
        if cell.task == "throughput" and cell.filter == "none" and cell.params["search"] == {"hnsw_ef": 16}
    ]
    assert line(found, "Throughput, filter none").entries[0].values == tuple(none)
    index = [cell.metrics for cell in RUN.measurements if cell.kind == "index"]
    assert line(found, "Build time").entries[0].values == pytest.approx(
        [m["index_s"] + m["ready_s"] for m in index]
    )  # type: ignore[operator]
    assert line(found, "Peak memory").entries[0].values == tuple(m["rss_peak_bytes"] for m in index)
    worst = min(
        (cell.filter for cell in RUN.measurements if cell.task == "throughput"),
        key=lambda name: sum(c.metrics["recall_at_10"] or 0 for c in RUN.measurements
                             if (c.task, c.filter, c.params.get("search")) == ("throughput", name, {"hnsw_ef": 16})),
    )  # fmt: skip
    recalls = [c.metrics["recall_at_10"] for c in RUN.measurements
               if (c.task, c.filter, c.params.get("search")) == ("throughput", worst, {"hnsw_ef": 16})]  # fmt: skip
    assert line(found, "Recall, worst filter").entries[0].values == tuple(recalls)
    assert [each.name for each in found.lines][-4:] == [
        f"Throughput, filter {n}" for n in ("none", "10pct", "1pct", "brand")
    ]


def test_a_change_is_the_ratio_with_its_interval_and_agrees_with_the_figures() -> None:
    slower = build(engines=ONE, seed=2, speed={"qdrant": 0.5})
    throughput = line(figures(RUN, slower), "Throughput (mix)")
    first, second = (entry.values for entry in throughput.entries)
    expected = compare_ratios(first, second, 0.95)
    assert throughput.entries[1].change == expected
    assert expected.change == pytest.approx(geometric_mean(second) / geometric_mean(first))
    assert throughput.entries[0].change is None
    assert throughput.entries[1].verdict == "worse"
    assert throughput.entries[1].told.startswith("0.5") and " × (0." in throughput.entries[1].told
    assert line(figures(slower, RUN), "Throughput (mix)").entries[1].verdict == "better"
    assert line(figures(RUN, slower), "Build time").entries[1].verdict == "worse"  # lower is better
    same = figures(RUN, build(engines=ONE, seed=3))
    assert line(same, "Throughput (mix)").entries[1].verdict == ""
    assert line(same, "Disk").entries[1].told == "1 × (1 to 1)"


def test_a_recall_has_a_difference() -> None:
    def shifted(by: float) -> RunResult:
        def shift(cell: Measurement) -> Measurement:
            recall = cell.metrics.get("recall_at_10")
            return cell if recall is None else with_metrics(cell, recall_at_10=recall + by)

        return edit(RUN, shift)

    entry = line(figures(RUN, shifted(-0.005)), "Recall, worst filter").entries[1]
    assert entry.told.startswith("−0.005 (−0.00")
    assert entry.verdict == "worse"
    tiny = line(figures(RUN, RUN), "Recall, worst filter").entries[1]
    assert (tiny.told.partition(" ")[0], tiny.verdict) == ("0.000", "")


def test_one_trial_has_no_interval_and_no_verdict() -> None:
    entry = line(
        figures(RUN, build(engines=ONE, trials=1, speed={"qdrant": 0.5})), "Throughput (mix)"
    ).entries[1]
    assert entry.told.endswith(" ×") and entry.verdict == ""


def test_a_change_that_is_not_seen_in_its_text_has_no_verdict() -> None:
    exact = edit(RUN, lambda c: with_metrics(c, disk_bytes=1e9) if c.kind == "index" else c)
    other = edit(RUN, lambda c: with_metrics(c, disk_bytes=1e9 + 1) if c.kind == "index" else c)
    assert line(figures(exact, other), "Disk").entries[1].verdict == ""
    larger = edit(RUN, lambda c: with_metrics(c, disk_bytes=1.1e9) if c.kind == "index" else c)
    assert line(figures(exact, larger), "Disk").entries[1].verdict == "worse"


def test_a_figure_of_zero_has_no_ratio() -> None:
    nothing = edit(RUN, lambda c: with_metrics(c, disk_bytes=0.0) if c.kind == "index" else c)
    disk = line(figures(nothing, RUN), "Disk")
    assert (disk.entries[0].text, disk.entries[1].change) == ("0", None)


def test_what_is_missing_says_why() -> None:
    def without(cell: Measurement) -> Measurement:
        if cell.kind == "index":
            return with_metrics(
                cell, disk_bytes=None, rss_peak_bytes=None, reasons={"disk_bytes": "kept in memory"}
            )
        return with_metrics(cell, latency_p99_ms=None, reasons={"latency_p99_ms": "too few"})

    found = figures(RUN, edit(RUN, without))
    assert [entry.told for entry in line(found, "Disk").entries][1] == "kept in memory"
    assert line(found, "Peak memory").entries[1].told == "not recorded"
    nowhere = figures(edit(RUN, without), edit(RUN, without))
    assert not [each for each in nowhere.lines if each.name in ("Disk", "P99 latency, worst filter")]


def test_an_engine_that_a_run_lacks_or_that_failed_there() -> None:
    both = build(engines={name: ENGINES[name] for name in ("qdrant", "milvus")})
    found = figures(both, RUN, engine="milvus")
    assert found.statuses[1] == "not in this run"
    assert found.settings == ("default", "–")
    assert all(each.entries[1].text == "–" and not each.entries[1].told for each in found.lines)
    broken = edit(both, lambda c: failed(c, "out of memory") if c.engine == "milvus" else c)
    throughput = line(figures(both, broken, engine="milvus"), "Throughput (mix)")
    assert "out of memory" in throughput.entries[1].told


def test_figures_that_cannot_be_compared_have_no_change() -> None:
    other = RUN.model_copy(update={"dataset": RUN.dataset | {"fingerprint": "x"}})
    assert not [entry for each in figures(RUN, other).lines for entry in each.entries if entry.change]
    fewer = build(engines=ONE, filters={"none": 1.0, "1pct": 0.01})
    found = figures(RUN, fewer)
    changed = {each.name for each in found.lines if each.entries[1].change}
    assert changed == {
        "Build time",
        "Peak memory",
        "Disk",
        "Throughput, filter none",
        "Throughput, filter 1pct",
    }


def test_the_recall_of_another_number_of_hits_is_shown() -> None:
    def renamed(cell: Measurement) -> Measurement:
        metrics = {name.replace("_at_10", "_at_20"): value for name, value in cell.metrics.items()}
        return cell.model_copy(update={"metrics": metrics})

    other = edit(RUN, renamed).model_copy(update={"scenario": RUN.scenario | {"k": 20}})
    recall = line(figures(RUN, other), "Recall, worst filter")
    assert recall.entries[1].values == recall.entries[0].values
    assert recall.entries[1].change is None


def test_under_another_objective_its_figure_stands_beside_the_throughput_over_the_mix() -> None:
    cost = build(engines=ONE, seed=1, objective="min cpu_s_per_1000")
    found = figures(cost, RUN)
    throughput = line(found, "Throughput (mix)").entries
    assert throughput[0].values == pytest.approx(throughput[1].values)
    cpu = line(found, "CPU time per 1,000 queries (mix)").entries
    assert cpu[0].values == pytest.approx(cpu[1].values)  # of the decision, and over the filters


def test_of_a_decision_by_latency_the_throughput_is_still_that_of_the_closed_loop() -> None:
    fast = {"faiss-hnsw": ENGINES["faiss-hnsw"]}
    offered, closed = (
        figures(run, run, engine="faiss-hnsw")
        for run in (build(engines=fast, objective="min latency_p50_ms"), build(engines=fast))
    )
    for name in ("Throughput (mix)", "Throughput, filter 1pct"):
        assert line(offered, name).entries[0].values == pytest.approx(line(closed, name).entries[0].values)
    latency = line(offered, "P50 latency (mix)")
    assert len(latency.entries[0].values) == 3
    assert latency.entries[1].change is not None


def test_weights_of_the_filters_weigh_the_mix() -> None:
    scenario = RUN.scenario["decision"] | {"weights": {"brand": 1.0}}
    weighed = RUN.model_copy(update={"scenario": RUN.scenario | {"decision": scenario}})
    found = figures(weighed, weighed)
    mixed, one = (
        line(found, name).entries[0].values for name in ("Throughput (mix)", "Throughput, filter brand")
    )
    assert mixed == pytest.approx(one)
    cost = weighed.scenario["decision"] | {"objective": "min cpu_s_per_1000"}
    by_cost = weighed.model_copy(update={"scenario": weighed.scenario | {"decision": cost}})
    assert line(figures(by_cost, by_cost), "Throughput (mix)").entries[0].values == pytest.approx(one)
