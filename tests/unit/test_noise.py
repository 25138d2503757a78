from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from harness.errors import MeasurementError
from harness.machine import noise_probe
from harness.machine.noise import NoiseMonitor
from harness.machine.noise_probe import Record, cpu_times

PARENT = """
import sys, time
from harness.machine.noise import NoiseMonitor
with NoiseMonitor() as monitor:
    print(monitor._probe.pid, flush=True)
    time.sleep(300)
"""


def record() -> Record:
    made = Record()
    for tick in range(1, 201):  # a sleep ends every 10 ns; the n-th overslept by n us
        made.add_tick(tick * 10, tick * 1000)
    for at_ns, stolen, total in ((0, 0, 0), (500, 10, 100), (1000, 10, 200), (1500, 60, 300)):
        made.add_cpu(at_ns, (stolen, total))
    return made


def test_hiccups_of_a_window_are_those_that_ended_in_it():
    seen = record().window(10, 1000)
    assert seen["hiccup_max_us"] == 100
    assert seen["hiccup_p99_us"] == 99
    assert record().window(1990, 10_000)["hiccup_p99_us"] == 200


@pytest.mark.parametrize(
    ("window", "share"),
    [((0, 1500), 0.2), ((500, 1000), 0.0), ((1000, 1500), 0.5), ((600, 900), 0.0), ((600, 1100), 0.25)],
)
def test_steal_is_taken_between_the_readings_around_the_window(window: tuple[int, int], share: float):
    assert record().window(*window)["steal_share"] == pytest.approx(share)


def test_nothing_seen_is_no_figure():
    assert set(record().window(5000, 6000).values()) == {None}
    assert set(Record().window(0, 10).values()) == {None}
    unaccounted = Record()
    unaccounted.add_cpu(0, None)
    assert unaccounted.window(0, 10)["steal_share"] is None


@pytest.mark.parametrize("text", [None, "", "cpu 1 2 3", "cpu a b"])
def test_missing_cpu_accounting_is_no_error(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "stat"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(noise_probe, "STAT", file)
    assert cpu_times() is None


def test_cpu_accounting_leaves_out_guest_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "stat"
    file.write_text("cpu  1 2 3 4 5 6 7 8 100 100\ncpu0 1 1 1 1 1 1 1 1 1 1\n")
    monkeypatch.setattr(noise_probe, "STAT", file)
    assert cpu_times() == (8, 36)


def test_a_window_of_the_running_machine():
    with NoiseMonitor() as monitor:
        start_ns = time.perf_counter_ns()
        deadline_ns = start_ns + 20_000_000_000  # the probe may have to wait for its turn, too
        noise = None
        while noise is None or (noise.hiccup_p99_us is None and time.perf_counter_ns() < deadline_ns):
            time.sleep(0.5)
            end_ns = time.perf_counter_ns()
            noise = monitor.window(start_ns, end_ns)
        assert noise.hiccup_p99_us is not None and noise.hiccup_max_us is not None
        assert 0 <= noise.hiccup_p99_us <= noise.hiccup_max_us
        if noise.steal_share is None:
            assert "/proc/stat" in noise.reasons["steal_share"]
        else:
            assert 0 <= noise.steal_share <= 1
            assert noise.reasons == {}
        before = monitor.window(start_ns - 10_000_000_000, start_ns - 9_000_000_000)
        assert before.hiccup_p99_us is None and before.steal_share is None
        assert set(before.reasons) == {"steal_share", "hiccup_p99_us", "hiccup_max_us"}
        assert monitor.window(start_ns, end_ns).hiccup_max_us == noise.hiccup_max_us
        process = psutil.Process(monitor._probe.pid)
    assert not process.is_running()


def test_a_monitor_that_died_is_named():
    with NoiseMonitor() as monitor:
        monitor._probe.kill()
        monitor._probe.wait()
        with pytest.raises(MeasurementError, match=r"noise monitor .* is gone"):
            monitor.window(0, 1)


def test_it_dies_with_a_parent_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        probe = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        gone, alive = psutil.wait_procs([probe], timeout=60)
        assert gone and not alive
