"""The list of metrics, what Prometheus is told, and that several processes count together."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from service.limits.adaptive import AdaptiveLimit, LimitOptions
from service.limits.breaker import Breaker, BreakerOptions
from service.limits.gate import Gate
from service.telemetry.freshness import Freshness
from service.telemetry.listed import METRICS
from service.telemetry.meters import Described, Meters
from service.telemetry.processes import VARIABLE, ended, share
from service.telemetry.standing import Standing, Watched
from tests.service.scraped import Samples, samples
from tests.unit.service.telemetry.standing import Index

ROOT = Path(__file__).parents[4]


def test_names_follow_the_conventions_of_prometheus() -> None:
    names = [one.name for one in METRICS]
    assert len(set(names)) == len(names)
    for one in METRICS:
        assert re.fullmatch(r"bakeoff_[a-z_]+", one.name)
        assert one.name.endswith("_total") == (one.kind == "counter"), one.name
        assert one.name.endswith("_seconds") or one.kind != "histogram", one.name
        assert one.about
        assert not one.about.endswith(".")


def test_the_document_names_exactly_these_with_their_labels() -> None:
    text = (ROOT / "docs" / "service.md").read_text()
    rows = re.findall(r"^\| `(bakeoff_\w+)` \| (.*?) \| (.*) \|$", text, re.MULTILINE)
    told = {name: (re.findall(r"`(\w+)`", labels), about) for name, labels, about in rows}
    assert told == {one.name: (list(one.labels), one.about) for one in METRICS}


def test_each_is_told_with_its_help() -> None:
    meters = Meters()
    text = meters.text().decode()
    for one in METRICS:
        name = one.name.removesuffix("_total") if one.kind == "counter" else one.name
        assert f"# HELP {one.name} {one.about}\n" in text or f"# HELP {name}_total {one.about}\n" in text
        assert f"# TYPE {one.name} {one.kind}\n" in text
    assert b"process_cpu_seconds_total" in meters.text()


def test_what_described_the_service_before_is_gone() -> None:
    meters = Meters()
    info = Described(meters, "bakeoff_service_info")
    for generation in ("first", "second", "second"):
        info.say(version="1", engine="faiss", model="m", generation=generation)
    assert samples(meters.text().decode())["bakeoff_service_info"] == {("faiss", "second", "m", "1"): 1.0}


def test_standing_is_read_when_it_is_asked_for() -> None:
    meters, index = Meters(), Index()
    gate = Gate(AdaptiveLimit(LimitOptions(first=1, queue=5)), clock=lambda: 0.0)
    breaker = Breaker(BreakerOptions(window=2, failures=1))
    standing = Standing(meters, Watched(gate, {"live": breaker}, index.status, "1", "faiss", "m"))
    gate.limit.arrive(0.0)
    gate.limit.arrive(0.0)
    gate.shed = 3
    index.last_seq, index.applied, index.failures = 10, 7, 2
    leave = breaker.ask(0.0)
    assert leave is not None
    breaker.failed(leave, 0.0)
    before = samples(meters.text().decode())
    standing.read()
    standing.read()  # which counts nothing twice
    found = samples(meters.text().decode())
    for name, was, now in (
        ("bakeoff_in_flight", 0, 1),
        ("bakeoff_waiting", 0, 1),
        ("bakeoff_shed_total", 0, 3),
        ("bakeoff_index_lag_changes", 0, 3),
        ("bakeoff_projection_failures_total", 0, 2),
        ("bakeoff_catalogue_up", 1, 1),
    ):
        assert (before[name], found[name]) == ({(): was}, {(): now}), name
    assert found["bakeoff_breaker_open"] == {("live",): 1}


def test_a_catalogue_that_does_not_answer_is_told(caplog: pytest.LogCaptureFixture) -> None:
    meters, index = Meters(), Index()
    gate = Gate(AdaptiveLimit(LimitOptions()))
    standing = Standing(meters, Watched(gate, {}, index.status, "1", "faiss", "m"))
    index.fails = True
    standing.read()
    assert samples(meters.text().decode())["bakeoff_catalogue_up"] == {(): 0}
    assert "its disk is full" in caplog.text


def test_freshness_is_from_durable_to_searchable() -> None:
    now, observed = [0.0], list[float]()
    freshness = Freshness(observed.append, clock=lambda: now[0])
    freshness.durable(5)
    now[0] = 1.0
    freshness.durable(6)
    freshness.searchable(4)
    assert observed == []
    now[0] = 3.0
    freshness.searchable(5)
    assert observed == [3.0]
    freshness.durable(5)  # told late: the index had been there before
    freshness.searchable(7)
    assert observed == [3.0, 0.0, 2.0]
    freshness.searchable(7)
    assert len(observed) == 3
    freshness.durable(8, since=[2.5, 1.0, 9.0])  # the last by a clock that is ahead
    freshness.searchable(8)
    assert observed[3:] == [0.5, 2.0, 0.0]
    freshness.durable(8, since=[1.0])
    assert observed[6:] == [2.0]


COUNTING = """
import sys
from service.telemetry.meters import Meters
meters = Meters()
meters.counter("bakeoff_relaxed_total").inc(int(sys.argv[1]))
meters.gauge("bakeoff_in_flight").set(int(sys.argv[1]))
meters.gauge("bakeoff_index_lag_changes").set(int(sys.argv[1]))
meters.histogram("bakeoff_request_seconds").labels("recommend").observe(0.002)
print(meters.text().decode(), flush=True)
sys.stdin.read()
"""


def test_processes_count_together(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    alone = environ.copy()
    (tmp_path / "counter_1.db").write_bytes(b"of a run before")
    share(tmp_path, environ)
    assert not list(tmp_path.iterdir())
    started = []

    def counted(number: str, environ: dict[str, str]) -> dict[str, Samples]:
        command = [sys.executable, "-c", COUNTING, number]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, env=environ, cwd=ROOT, stdin=pipe, stdout=pipe)
        started.append(process)
        assert process.stdout is not None
        text = b""
        while not text.endswith(b"\n\n"):
            text += process.stdout.readline()
        return samples(text.decode())

    try:
        counted("2", environ)
        both = counted("5", environ)
        assert both["bakeoff_relaxed_total"] == both["bakeoff_in_flight"] == {(): 7}
        assert both["bakeoff_index_lag_changes"] == {(): 5}
        assert both["bakeoff_request_seconds_count"] == {("recommend",): 2}
        assert counted("5", alone)["bakeoff_relaxed_total"] == {(): 5}
        first = started[0]
        first.communicate()
        ended(tmp_path, first.pid)
        left = counted("0", environ)
        assert left["bakeoff_in_flight"] == {(): 5}
        assert left["bakeoff_relaxed_total"] == {(): 7}
    finally:
        for process in started:
            if process.poll() is None:
                process.communicate()
    assert VARIABLE in environ
    assert VARIABLE not in alone
