import re

import numpy as np
import pytest

from harness.results.metrics import TABLE
from harness.scenario.threshold import ThresholdSyntaxError, parse_threshold


@pytest.mark.parametrize(
    ("text", "metric", "relation", "limit"),
    [
        ("latency.p99 < 50ms", "latency_p99_ms", "<", 50),
        ("latency.p999<=0.05s", "latency_p999_ms", "<=", 50),
        ("service_time.p50 < 500us", "service_time_p50_ms", "<", 0.5),
        ("freshness.p99 < 2000000ns", "freshness_p99_ms", "<", 2),
        ("staleness_p50_ms < 3", "staleness_p50_ms", "<", 3),
        ("recall >= 0.95", "recall", ">=", 0.95),
        ("recall@10 >= 95%", "recall_at_10", ">=", 0.95),
        ("recall_at_100 > 0.5", "recall_at_100", ">", 0.5),
        (" violations == 0 ", "violations", "==", 0),
        ("throughput_qps > 100", "throughput_qps", ">", 100),
        ("cpu_s_per_1000 < 5", "cpu_s_per_1000", "<", 5),
        ("ready_s < 500ms", "ready_s", "<", 0.5),
        ("lateness_p99_us < 1ms", "lateness_p99_us", "<", 1000),
        ("rss_peak_bytes < 2GiB", "rss_peak_bytes", "<", 2 * 2**30),
        ("disk_bytes <= 1.5MiB", "disk_bytes", "<=", 1.5 * 2**20),
        ("steal_share < 5%", "steal_share", "<", 0.05),
        ("errors <= 0.1%", "errors", "<=", 0.001),
    ],
)
def test_parses(text: str, metric: str, relation: str, limit: float) -> None:
    threshold = parse_threshold(text)
    assert (threshold.metric, threshold.relation, threshold.text) == (metric, relation, text.strip())
    assert threshold.limit == pytest.approx(limit)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("recall is good", "is no threshold, write for example"),
        ("recall >= -1", "is no threshold"),
        ("recall => 0.9", "is no threshold"),
        ("errors < " + "9" * 400, "its limit is larger than any measured figure"),
        ("", "is no threshold"),
        (
            "recall.p99 > 0.5",
            "only latency, freshness, staleness, service_time, lateness, oversleep have percentiles",
        ),
        ("latency@10 < 5", "only recall is taken @k"),
        ("latency.p42 < 5", "there is no metric latency_p42_ms"),
        ("throughputs > 5", "there is no metric throughputs, did you mean 'throughput_qps'?"),
        ("zzz > 5", "there is no metric zzz, see docs/metrics.md"),
        ("retries < 1%", "unit '%' does not fit retries"),
        ("errors < 1ms", "unit 'ms' does not fit errors"),
        ("recall >= 0.9ms", "unit 'ms' does not fit recall"),
        ("index_vectors_per_s > 5s", "unit 's' does not fit index_vectors_per_s"),
        ("latency.p99 < 5GiB", "unit 'GiB' does not fit latency_p99_ms"),
        ("disk_bytes < 5parsec", "unit 'parsec' does not fit disk_bytes"),
    ],
)
def test_refuses(text: str, message: str) -> None:
    with pytest.raises(ThresholdSyntaxError, match=re.escape(message)):
        parse_threshold(text)


@pytest.mark.parametrize(
    ("relation", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        ("==", False, True, False),
        (">=", False, True, True),
        (">", False, False, True),
    ],
)
def test_relations(relation: str, below: bool, at: bool, above: bool) -> None:
    threshold = parse_threshold(f"recall {relation} 0.5")
    assert [threshold.holds(value) for value in (0.4, 0.5, 0.6)] == [below, at, above]
    assert not threshold.holds(float("nan"))


def test_only_counts_are_judged_as_shares_and_only_where_a_percentage_is_written() -> None:
    written = ("timeouts <= 1%", "timeouts <= 1", "recall >= 95%", "steal_share < 5%")
    assert [parse_threshold(text).share for text in written] == [True, False, False, False]


def test_arrays_are_judged_element_by_element() -> None:
    threshold = parse_threshold("timeouts <= 1%")
    assert threshold.holds_each(np.array([0.0, 0.01, 0.02, np.nan])).tolist() == [True, True, False, False]


@pytest.mark.parametrize("metric", [known.name.replace("{k}", "10") for known in TABLE])
def test_every_metric_of_the_table_can_have_a_limit(metric: str) -> None:
    assert parse_threshold(f"{metric} < 1").metric == metric
