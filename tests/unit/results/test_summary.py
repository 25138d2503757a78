"""From samples to the metrics of a search cell."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.results.judging import Judged
from harness.results.samples import ERROR, OK, TIMEOUT, concatenate
from harness.results.summary import percentile_ms, summarize
from harness.scenario.threshold import parse_threshold
from tests.unit.results.windows import MS, judged, samples


@pytest.mark.parametrize(
    ("n", "quantile", "rank"),
    [
        (20, 0.5, 10),
        (21, 0.5, 11),
        (1000, 0.99, 990),
        (1001, 0.99, 991),
        (10_000, 0.999, 9990),
        (200, 0.95, 190),
    ],
)
def test_a_percentile_is_the_value_at_its_rank(n, quantile, rank):
    values = np.random.default_rng(n).permutation(n) * MS + MS  # 1..n ms
    assert percentile_ms(values, quantile) == (rank, "")


@pytest.mark.parametrize(
    ("n", "quantile"), [(19, 0.5), (99, 0.9), (199, 0.95), (999, 0.99), (9999, 0.999), (0, 0.5)]
)
def test_a_percentile_with_fewer_than_ten_samples_beyond_is_none(n, quantile):
    value, reason = percentile_ms(np.arange(n), quantile)
    assert value is None
    assert reason.startswith(f"{n} samples; {n + 1 if n else 20} are needed")
    assert percentile_ms(np.arange(n + 1 if n else 20), quantile)[0] is not None


@given(st.lists(st.integers(0, 10**12), min_size=20, max_size=300), st.sampled_from([0.5, 0.9, 0.95]))
def test_a_percentile_occurred_and_splits_the_samples(values, quantile):
    value, _ = percentile_ms(np.array(values), quantile)
    if value is None:
        assert len(values) * (1 - quantile) < 10 + 1e-6
        return
    value_ns = round(value * 1e6)
    assert value_ns in values
    assert sum(v <= value_ns for v in values) >= quantile * len(values) - 1e-6
    assert sum(v < value_ns for v in values) < quantile * len(values)


def test_names_and_units_of_a_closed_loop():
    n = 20_000
    metrics, reasons = summarize(samples(np.linspace(1, 2, n)), judged(n, 0.5), k=10)
    assert reasons == {}
    assert set(metrics) == {
        "recall_at_10", "recall_sd", "latency_p50_ms", "latency_p90_ms", "latency_p95_ms", "latency_p99_ms",
        "latency_p999_ms",
        "latency_max_ms", "service_time_p50_ms", "service_time_p99_ms", "throughput_qps", "queries", "judged_queries",
        "distinct_queries", "violations", "ghosts", "unknown_ids", "duplicates", "short_results", "overlong",
        "unordered", "wrong_scores", "rechecked_answers", "changed_answers", "errors", "timeouts", "abandoned",
    }  # fmt: skip
    assert metrics["recall_at_10"] == 0.5
    assert metrics["queries"] == n
    assert metrics["latency_p50_ms"] == pytest.approx(1.5, rel=1e-4)
    assert metrics["throughput_qps"] == pytest.approx(n / ((n - 1 + 2) / 1000))
    assert all(type(value) is float for value in metrics.values())
    assert {parse_threshold("latency.p99 < 1ms").metric, parse_threshold("recall@10 > 0").metric} <= set(
        metrics
    )


def test_latency_counts_from_the_schedule_and_service_time_from_the_sending():
    metrics, _ = summarize(samples([5.0] * 1000, lateness_ms=2.0), judged(1000), k=1, offered_s=2.0)
    assert metrics["latency_p99_ms"] == 5.0
    assert metrics["service_time_p99_ms"] == 3.0
    assert metrics["lateness_p50_us"] == metrics["lateness_p99_us"] == 2000.0
    assert metrics["offered_qps"] == 500.0


def test_errors_and_timeouts_stay_in_the_percentiles_and_leave_recall_and_throughput():
    status = [OK] * 950 + [TIMEOUT] * 30 + [ERROR] * 20
    latency = [1.0] * 950 + [1000.0] * 30 + [2.0] * 20
    verdict = judged(1000)
    verdict.recall[950:] = np.nan
    verdict.recall[:475] = 0.0
    metrics, _ = summarize(samples(latency, status=status), verdict, k=10)
    assert metrics["latency_p95_ms"] == 1.0
    assert metrics["latency_p99_ms"] == 1000.0
    assert (metrics["queries"], metrics["errors"], metrics["timeouts"]) == (1000, 20, 30)
    assert metrics["recall_at_10"] == 0.5
    window_s = (979 + 1000) / 1000  # the last time-out ends last
    assert metrics["throughput_qps"] == pytest.approx(950 / window_s)


def test_percentiles_are_pooled_over_clients_not_the_worst_of_them():
    fast, slow = samples([1.0] * 1980), samples([9.0] * 20)
    metrics, _ = summarize(concatenate([fast, slow]), judged(2000), k=1)
    assert metrics["latency_p99_ms"] == 1.0  # the slow client's own is 9 ms


def test_counts_are_sums():
    ones, some = np.ones(3, dtype=np.int64), np.array([True, False, True])
    verdict = Judged(np.ones(3), ones, ones * 2, ones * 3, ones * 4, some, ~some, ~some, some)
    metrics, _ = summarize(samples([1.0] * 3), verdict, k=10)
    names = ("violations", "ghosts", "unknown_ids", "duplicates", "short_results", "overlong", "unordered")
    assert [metrics[name] for name in names] == [3, 6, 9, 12, 2, 1, 1]
    assert metrics["wrong_scores"] == 2


def test_what_could_not_be_had_has_a_reason():
    metrics, reasons = summarize(samples([1.0] * 30, status=[ERROR] * 30), judged(30, np.nan), k=5)
    assert metrics["recall_at_5"] is None
    assert metrics["latency_p50_ms"] == 1.0
    assert metrics["throughput_qps"] == 0.0
    assert set(reasons) == {name for name, value in metrics.items() if value is None}
    assert "1000 are needed" in reasons["latency_p99_ms"]


def test_an_open_loop_answers_no_more_than_was_asked():
    some = samples([1.0] * 30)  # due within 29 ms, somewhere in a schedule of 100 ms
    metrics, _ = summarize(some, judged(30), k=1, offered_s=0.1)
    assert metrics["throughput_qps"] == metrics["offered_qps"] == pytest.approx(300)


def test_an_empty_window():
    metrics, reasons = summarize(samples([]), judged(0), k=5, offered_s=1.0)
    assert metrics["throughput_qps"] is None
    assert (metrics["queries"], metrics["offered_qps"]) == (0, 0)
    assert set(reasons) == {name for name, value in metrics.items() if value is None}


def test_the_spread_of_recall_is_that_of_the_queries_that_were_answered():
    found = samples([1.0, 2.0, 3.0, 4.0], status=[OK, OK, OK, ERROR])
    verdict = judged(4)
    verdict.recall[:] = [1.0, 0.5, 0.9, np.nan]
    assert summarize(found, verdict, k=10)[0]["recall_sd"] == pytest.approx(np.std([1.0, 0.5, 0.9], ddof=1))
    metrics, reasons = summarize(samples([1.0]), judged(1), k=10)
    assert metrics["recall_sd"] is None
    assert "two requests" in reasons["recall_sd"]


def test_what_repeats_is_told_by_the_number_of_different_queries():
    found = replace(samples([1.0] * 30), query=np.arange(30) % 7, abandoned=2, rechecked=9, changed=3)
    metrics, _ = summarize(found, judged(30), k=1)
    assert (metrics["distinct_queries"], metrics["abandoned"]) == (7, 2)
    assert (metrics["rechecked_answers"], metrics["changed_answers"]) == (9, 3)
    both = concatenate([found, replace(found, rechecked=1, changed=1)])
    assert (both.rechecked, both.changed) == (10, 4)
