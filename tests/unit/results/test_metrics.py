"""Percentiles, recall and counts, computed by hand."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.results.judging import Judged, judge
from harness.results.samples import ERROR, OK, TIMEOUT, Samples, concatenate
from harness.results.summary import percentile_ms, summarize, throughput
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
    zero, no = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.bool_)
    return Judged(np.full(n, recall), zero, zero, zero, zero, no, no, no, no)


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
        known=row >= 0,
        exists=~np.isin(row, [*ghosts, -1]),
        permitted=~np.isin(row, bad),
        near=~np.isin(row, far),
        matches=np.array([matches]),
    )
    assert result.overlong[0] == (answered and length is not None and length > k)
    return (
        result.recall[0].item(),
        result.violations[0].item(),
        (result.ghosts + result.unknown)[0].item(),
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


def test_padding_is_no_hit_but_a_returned_minus_one_is_unknown():
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
        known=array >= 0,
        exists=~np.isin(array, [*dead, -1]),
        permitted=~np.isin(array, list(bad)),
        near=~np.isin(array, list(far)),
        matches=np.array(matches[:n]),
    )
    for i in range(n):
        returned = ids[i][: lengths[i]]
        items = set(returned)
        wanted = min(4, matches[i])
        good = len(items - dead - bad - far - {-1})
        assert result.ghosts[i] == len((items & dead) - {-1})
        assert result.unknown[i] == len(items & {-1})
        assert result.violations[i] == len((items & bad) - dead - {-1})
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


def closed(done_ms, window_ms, *, client=0, sent_ms=None):
    """A client of a closed loop whose answers came at `done_ms`, in a window of `window_ms`."""
    done = (np.asarray(done_ms, dtype=np.float64) * MS).astype(np.int64)
    sent = np.concatenate([[0], done[:-1]]) if sent_ms is None else np.asarray(sent_ms) * MS
    found = samples([1.0] * len(done))
    return replace(
        found, scheduled_ns=sent, sent_ns=sent, done_ns=done, client=np.full(len(done), client),
        window_ns=(0, window_ms * MS),
    )  # fmt: skip


def test_one_slow_answer_does_not_stretch_the_window():
    """Four clients answer once a millisecond for a second; the last request of one takes 3 s."""
    whole = [closed(np.arange(1, 1001), 1000, client=number) for number in range(3)]
    hanging = closed([*range(1, 1000), 4000], 1000, client=3)
    found = concatenate([*whole, hanging])
    metrics, _ = summarize(found, judged(len(found)), k=1)
    assert metrics["throughput_qps"] == pytest.approx(3999)
    assert metrics["latency_max_ms"] == 3001.0
    assert throughput(replace(found, window_ns=None)) == pytest.approx(1000)  # as if it had stretched it


def test_where_requests_run_out_the_window_ends_with_the_first_client_that_has_none():
    first, second = closed([10, 20, 30], 30), closed([10, 20, 500], 500, client=1)
    assert throughput(concatenate([first, second])) == pytest.approx(5 / 0.030)


def test_a_window_without_length_has_no_throughput():
    at_once = samples([0.0] * 3, every_ms=0.0)
    metrics, reasons = summarize(at_once, judged(3), k=1)
    assert metrics["throughput_qps"] is None
    assert "throughput_qps" in reasons


def open_window(latency_ms, *, every_ms=1.0, lost=()):
    """An open loop's window whose schedule has a request `every_ms`; those `lost` were given up on."""
    status = np.zeros(len(latency_ms), dtype=np.int64)
    status[list(lost)] = TIMEOUT
    found = samples(latency_ms, status=status, every_ms=every_ms)
    start = int(found.scheduled_ns[0])
    return replace(found, window_ns=(start, int(found.scheduled_ns[-1])))


def test_lost_answers_are_missing_from_the_throughput_and_do_not_stretch_the_window():
    latency = np.full(2000, 3.0)
    latency[[100, 900]] = 12_000.0
    metrics, _ = summarize(open_window(latency, lost=(100, 900)), judged(2000), k=1, offered_s=2.0)
    assert metrics["offered_qps"] == 1000
    assert metrics["throughput_qps"] == pytest.approx(999)
    assert metrics["latency_max_ms"] == 12_000.0


def test_an_engine_that_falls_behind_shows_it_though_it_answers_in_the_end():
    """It serves 800 of 1,000 a second, so each request waits 0.25 ms longer than the one before."""
    found = open_window(1.0 + 0.25 * np.arange(5000))
    assert throughput(found, 5.0) == pytest.approx(800, rel=0.01)
    keeping_up = open_window(np.full(5000, 300.0))  # slow, but always equally so
    assert throughput(keeping_up, 5.0) == pytest.approx(1000)


def test_a_wait_for_a_client_in_a_busy_engine_is_no_lateness_of_ours():
    found = samples([30.0] * 1000, lateness_ms=20.0)
    own = replace(found, free_ns=found.scheduled_ns - 5)
    busy = replace(found, free_ns=found.scheduled_ns + 19 * MS)
    unknown, _ = summarize(found, judged(1000), k=1, offered_s=1.0)
    late, _ = summarize(own, judged(1000), k=1, offered_s=1.0)
    waited, _ = summarize(busy, judged(1000), k=1, offered_s=1.0)
    assert (late["lateness_p99_us"], late["clients_busy_share"]) == (20_000.0, 0.0)
    assert (waited["lateness_p99_us"], waited["clients_busy_share"]) == (1_000.0, 1.0)
    assert (unknown["lateness_p99_us"], unknown["clients_busy_share"]) == (20_000.0, None)
    assert late["latency_p99_ms"] == waited["latency_p99_ms"] == 30.0


def test_what_repeats_is_told_by_the_number_of_different_queries():
    found = replace(samples([1.0] * 30), query=np.arange(30) % 7, abandoned=2, rechecked=9, changed=3)
    metrics, _ = summarize(found, judged(30), k=1)
    assert (metrics["distinct_queries"], metrics["abandoned"]) == (7, 2)
    assert (metrics["rechecked_answers"], metrics["changed_answers"]) == (9, 3)
    both = concatenate([found, replace(found, rechecked=1, changed=1)])
    assert (both.rechecked, both.changed) == (10, 4)


def numbered_samples(start, n, share=1.0, kept=None):
    """n requests, one a millisecond from `start`; the answer of each is the millisecond that it was due at."""
    zero = np.zeros(n, dtype=np.int64)
    due = (start + np.arange(n)) * MS
    rows = np.arange(n) if kept is None else np.asarray(kept)
    ids = (start + rows)[:, None]
    return Samples(
        due, due, due + 1, zero, zero, zero, ids, zero + 1,
        kind=zero, free_ns=due, rows=rows, scores=ids * 2.0, share=share,
    )  # fmt: skip


def test_answers_stay_with_their_requests_when_clients_are_put_together():
    parts = [numbered_samples(500, 40), numbered_samples(0, 30, kept=[2, 9]), numbered_samples(250, 20)]
    found = concatenate(parts)
    assert len(found) == 90
    assert (np.diff(found.scheduled_ns) >= 0).all()
    assert (np.diff(found.kept_rows) > 0).all()
    assert len(found.ids) == 62
    assert (found.ids[:, 0] * MS == found.scheduled_ns[found.kept_rows]).all()
    assert found.scores is not None and (found.scores == 2 * found.ids).all()
    chosen = found.scheduled_ns % 2 == 0
    chosen[::3] = False
    part = found.select(chosen)
    assert len(part) == chosen.sum()
    assert (part.ids[:, 0] * MS == part.scheduled_ns[part.kept_rows]).all()
    assert len(part.ids) == np.count_nonzero(chosen[found.kept_rows])


def test_a_client_that_kept_all_its_answers_counts_no_more_than_one_that_kept_a_quarter():
    quarter = numbered_samples(0, 8000, share=0.25, kept=np.arange(0, 8000, 4))
    found = concatenate([quarter, numbered_samples(10_000, 8000)])
    assert found.share == 0.25
    early = found.kept_rows < 8000
    assert np.count_nonzero(early) == 2000
    assert np.count_nonzero(~early) == pytest.approx(2000, abs=200)
    assert (found.ids[:, 0] * MS == found.scheduled_ns[found.kept_rows]).all()


def test_the_memory_of_samples_is_that_of_their_columns() -> None:
    found = samples(np.linspace(1, 2, 1000))
    columns = (
        getattr(found, name) for name in ("scheduled_ns", "sent_ns", "done_ns", "query", "ids", "lengths")
    )
    assert found.nbytes >= sum(column.nbytes for column in columns)
    assert found.nbytes < 1000 * 8 * 30
