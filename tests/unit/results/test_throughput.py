"""Throughput counts what was answered within the window; lateness is ours alone."""

from dataclasses import replace

import numpy as np
import pytest

from harness.results.samples import TIMEOUT, concatenate
from harness.results.summary import summarize, throughput
from tests.unit.results.windows import MS, judged, samples


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
