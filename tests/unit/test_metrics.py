"""Percentiles, recall and counts, computed by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.results.judging import Judged, judge
from harness.results.samples import ERROR, OK, TIMEOUT, Samples, concatenate
from harness.results.summary import percentile_ms, summarize
from harness.scenario.threshold import parse_threshold

MS = 1_000_000


def samples(latency_ms, *, status=None, lateness_ms=0.0, every_ms=1.0):
    """Requests due `every_ms`, each sent `lateness_ms` late and done `latency_ms` after it was due."""
    latency = (np.asarray(latency_ms, dtype=np.float64) * MS).astype(np.int64)
    n = len(latency)
    scheduled = 10**15 + (np.arange(n) * every_ms * MS).astype(np.int64)
    zero = np.zeros(n, dtype=np.int64)
    return Samples(
        scheduled_ns=scheduled,
        sent_ns=scheduled + int(lateness_ms * MS),
        done_ns=scheduled + latency,
        query=zero,
        client=zero,
        status=zero if status is None else np.asarray(status, dtype=np.int64),
        ids=np.full((n, 1), -1, dtype=np.int64),
        lengths=zero,
    )


def judged(n, recall=1.0):
    zero = np.zeros(n, dtype=np.int64)
    return Judged(np.full(n, recall), zero, zero, zero, np.zeros(n, dtype=np.bool_))


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


def judge_one(ids, *, length=None, bad=(), ghosts=(), far=(), matches=100, answered=True, k=None):
    """One answer: `bad` ids break the filter, `ghosts` are no live items, `far` ones are no true neighbours."""
    k = k or len(ids)
    row = np.array([list(ids) + [-1] * (k - len(ids))])
    result = judge(
        answered=np.array([answered]),
        ids=row,
        lengths=np.array([len(ids) if length is None else length]),
        exists=~np.isin(row, [*ghosts, -1]),
        permitted=~np.isin(row, bad),
        near=~np.isin(row, far),
        matches=np.array([matches]),
    )
    return (
        result.recall[0].item(),
        result.violations[0].item(),
        result.ghosts[0].item(),
        result.duplicates[0].item(),
        result.short[0].item(),
    )


def test_a_perfect_answer():
    assert judge_one([4, 2, 9, 7]) == (1.0, 0, 0, 0, False)


def test_a_miss_costs_its_share():
    assert judge_one([4, 2, 9, 7], far=[9]) == (0.75, 0, 0, 0, False)


def test_a_duplicate_counts_once():
    assert judge_one([4, 4, 4, 7]) == (0.5, 0, 0, 2, False)


def test_a_violation_is_never_correct_and_counted_once_an_item():
    assert judge_one([4, 2, 2, 7], bad=[2]) == (0.5, 1, 0, 1, False)


def test_a_ghost_is_never_correct_nor_a_violation_too():
    assert judge_one([4, 2, 9, 7], ghosts=[4], bad=[4]) == (0.75, 0, 1, 0, False)


def test_recall_is_divided_by_the_matching_items_where_they_are_fewer_than_k():
    assert judge_one([4, 2], k=10, matches=2) == (1.0, 0, 0, 0, False)
    assert judge_one([4], k=10, matches=2) == (0.5, 0, 0, 0, True)
    assert judge_one([4, 2, 8], k=10, matches=2, bad=[8]) == (1.0, 1, 0, 0, False)


def test_k_is_not_cut_to_what_came_back():
    assert judge_one([4, 2], k=10, matches=50) == (0.2, 0, 0, 0, True)


def test_more_ties_than_places_do_not_exceed_one():
    # Three items tie for the two that match: possible only if `matches` is the smaller number.
    assert judge_one([4, 2, 8], matches=2)[0] == 1.0


def test_where_nothing_matches_only_an_empty_answer_is_right():
    assert judge_one([], k=10, matches=0) == (1.0, 0, 0, 0, False)
    assert judge_one([4], k=10, matches=0, bad=[4]) == (0.0, 1, 0, 0, False)
    assert judge_one([4], k=10, matches=0, ghosts=[4]) == (0.0, 0, 1, 0, False)


def test_an_unanswered_request_has_no_recall_and_no_hits():
    recall, *counts = judge_one([4, 4], bad=[4], answered=False)
    assert np.isnan(recall)
    assert counts == [0, 0, 0, False]


def test_padding_is_no_hit_but_a_returned_minus_one_is_a_ghost():
    assert judge_one([4, -1, -1], length=1, matches=1) == (1.0, 0, 0, 0, False)
    assert judge_one([4, -1, -1], length=3, matches=1) == (1.0, 0, 1, 1, False)


def test_a_hit_is_no_duplicate_of_stale_content_behind_the_length():
    assert judge_one([4, 2, 4], length=2, matches=2) == (1.0, 0, 0, 0, False)
    assert judge_one([4, 2, 2], length=2, matches=2) == (1.0, 0, 0, 0, False)


def test_a_length_beyond_k_does_not_read_past_it():
    assert judge_one([4, 2], length=7) == (1.0, 0, 0, 0, False)


@given(
    ids=st.lists(st.lists(st.integers(-1, 6), min_size=4, max_size=4), min_size=1, max_size=8),
    lengths=st.lists(st.integers(0, 4), min_size=8, max_size=8),
    dead=st.sets(st.integers(-1, 6)),
    bad=st.sets(st.integers(-1, 6)),
    far=st.sets(st.integers(-1, 6)),
    matches=st.lists(st.integers(0, 6), min_size=8, max_size=8),
)
def test_judging_agrees_with_plain_loops(*, ids, lengths, dead, bad, far, matches):
    n = len(ids)
    array = np.array(ids)
    result = judge(
        answered=np.ones(n, dtype=np.bool_),
        ids=array,
        lengths=np.array(lengths[:n]),
        exists=~np.isin(array, list(dead)),
        permitted=~np.isin(array, list(bad)),
        near=~np.isin(array, list(far)),
        matches=np.array(matches[:n]),
    )
    for i in range(n):
        returned = ids[i][: lengths[i]]
        items = set(returned)
        wanted = min(4, matches[i])
        good = len(items - dead - bad - far)
        assert result.ghosts[i] == len(items & dead)
        assert result.violations[i] == len((items & bad) - dead)
        assert result.duplicates[i] == len(returned) - len(items)
        assert result.short[i] == (len(returned) < wanted)
        assert result.recall[i] == (min(good, wanted) / wanted if wanted else float(not returned))


def test_names_and_units_of_a_closed_loop():
    n = 20_000
    metrics, reasons = summarize(samples(np.linspace(1, 2, n)), judged(n, 0.5), k=10)
    assert reasons == {}
    assert set(metrics) == {
        "recall_at_10", "recall_sd", "latency_p50_ms", "latency_p90_ms", "latency_p95_ms", "latency_p99_ms",
        "latency_p999_ms",
        "service_time_p50_ms", "service_time_p99_ms", "throughput_qps", "queries", "violations", "ghosts",
        "duplicates", "short_results", "errors", "timeouts",
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
    ones = np.ones(3, dtype=np.int64)
    verdict = Judged(np.ones(3), ones, ones * 2, ones * 3, np.array([True, False, True]))
    metrics, _ = summarize(samples([1.0] * 3), verdict, k=10)
    assert [metrics[name] for name in ("violations", "ghosts", "duplicates", "short_results")] == [3, 6, 9, 2]


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
