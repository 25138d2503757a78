from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from harness.children import tree
from harness.machine import cpu_accounts
from harness.machine.cpu_accounts import TICKS_PER_S, Processors, processors
from harness.machine.environment import usable_cores
from harness.machine.noise import Noise, NoiseMonitor
from harness.machine.noise_probe import Record

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
    # A reading every half second: 100 clock ticks of two processors.
    readings = [(0, 0, 0, 0), (10, 60, 30, 100), (10, 150, 40, 200), (60, 200, 40, 300)]
    for half, (stolen, unused, own, total) in enumerate(readings):
        made.add_cpu(half * 500_000_000, Processors(2, stolen, unused, total), own)
    return made


def test_oversleeping_of_a_window_is_that_which_ended_in_it():
    seen = record().window(10, 1000)
    assert seen["oversleep_max_us"] == 100
    assert seen["oversleep_p99_us"] == 99
    assert record().window(1990, 10_000)["oversleep_p99_us"] == 200


def ms(*moments: int) -> tuple[int, ...]:
    return tuple(moment * 1_000_000 for moment in moments)


@pytest.mark.parametrize(
    ("window", "share"),
    [
        ((0, 1500), 0.2),
        ((500, 1000), 0.0),
        ((1000, 1500), 0.5),
        ((600, 900), 0.0),
        ((600, 1100), 0.25),
    ],
)
def test_steal_is_taken_between_the_readings_around_the_window(window: tuple[int, int], share: float):
    assert record().window(*ms(*window))["steal_share"] == pytest.approx(share)


@pytest.mark.skipif(TICKS_PER_S != 100, reason="the readings are of a clock with 100 ticks a second")
@pytest.mark.parametrize("window", [(0, 500), (500, 1000), (1000, 1500), (0, 1500), (600, 1100)])
def test_time_that_was_idle_stolen_or_our_own_went_to_no_other_program(window: tuple[int, int]):
    assert record().window(*ms(*window))["foreign_share"] == pytest.approx(0.0)


@pytest.mark.skipif(TICKS_PER_S != 100, reason="the readings are of a clock with 100 ticks a second")
def test_what_is_left_went_to_other_programs():
    made = record()
    made.add_cpu(2_000_000_000, Processors(2, 60, 230, 400), 60)  # 30 unused, 20 our own
    seen = made.window(*ms(1500, 2000))
    assert seen["foreign_share"] == pytest.approx(0.5)
    assert seen["foreign_s"] == pytest.approx(0.5)
    made.add_cpu(
        2_500_000_000, Processors(2, 60, 280, 500), 120
    )  # told in steps: ours seem to be more than all
    assert made.window(*ms(2000, 2500))["foreign_share"] == 0.0


def test_nothing_seen_is_no_figure():
    assert set(record().window(5 * 10**9, 6 * 10**9).values()) == {None}
    assert set(Record().window(0, 10).values()) == {None}
    unaccounted = Record()
    unaccounted.add_cpu(0, None, 5)
    assert unaccounted.window(0, 10)["steal_share"] is None


UNSEEN = Noise(0.0, 0.5, 1.0, 9000.0, 9000.0).without_foreign("it cannot be seen")


@pytest.mark.parametrize(
    ("noise", "flags"),
    [
        (Noise(0.02, 0.03, 0.2, 100.0, 900.0), []),
        (Noise(0.071, 0.0, 0.0, 100.0, 900.0), ["steal 7.1%"]),
        (Noise(0.0, 0.12, 0.24, 100.0, 900.0), ["contention 12%"]),
        (Noise(0.0, 0.12, 0.07, 100.0, 900.0), []),  # within what CPU times are told to
        (Noise(0.0, 0.0, 0.0, 50_000.0, 90_000.0), []),  # our own load on all processors
        (UNSEEN, ["contention (an idle thread overslept by 9.0 ms, P99)"]),
        (replace(UNSEEN, oversleep_p99_us=3000.0), []),
        (Noise(), []),
    ],
)
def test_flags_of_a_window(noise: Noise, flags: list[str]):
    assert noise.flags() == flags


def test_what_is_missing_has_a_reason():
    figures, reasons = UNSEEN.metrics()
    assert figures["foreign_share"] is None
    assert reasons == {"foreign_share": "it cannot be seen"}


@pytest.mark.parametrize("text", [None, "", "cpu 1 2 3", "cpu a b"])
def test_missing_cpu_accounting_is_no_error(
    text: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "stat"
    if text is not None:
        file.write_text(text)
    monkeypatch.setattr(cpu_accounts, "STAT", file)
    assert processors() is None


def test_cpu_accounting_leaves_out_guest_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "stat"
    file.write_text(
        "cpu  2 4 6 8 10 12 14 16 9 9\ncpu0 1 2 3 4 5 6 7 8 9 9\ncpu1 1 2 3 4 5 6 7 8 0 0\nintr 5\n"
    )
    monkeypatch.setattr(cpu_accounts, "STAT", file)
    assert processors() == Processors(2, 16, 44, 72)
    assert processors(frozenset({1})) == Processors(1, 8, 22, 36)
    assert processors(frozenset({7})) is None


def busy_outside_this_tree() -> int:
    """Starts a process that only computes and belongs to another tree than this one; its id."""
    code = "import os; print(os.getpid(), flush=True); os.close(1)\nwhile True: pass"
    command = ["setsid", "--fork", sys.executable, "-c", code]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        return int(starter.stdout.readline())


def window_of(monitor: NoiseMonitor, seconds: float) -> Noise:
    start_ns = time.perf_counter_ns()
    time.sleep(seconds)
    return monitor.window(start_ns, time.perf_counter_ns())


def foreign_ticks() -> int:
    """What all processes outside this process tree have used, from their own accounts."""
    everything = tree.processes()
    own = {os.getpid(), *(one.pid for one in tree.below([os.getpid()], everything))}
    return sum(one.cpu_ticks for pid, one in everything.items() if pid not in own)


def test_a_busy_program_beside_the_run_is_contention_and_the_runs_own_load_is_not():
    """Beside whatever else this machine does, which is measured process by process.

    Processes that begin and end within a window are not seen so. Where a machine runs many of them a window may be off;
    three in a row are not.
    """
    if not any(foreign_load_is_right() for _ in range(3)):
        pytest.fail("what others used is not what the windows say, three times in a row")


def foreign_load_is_right() -> bool:
    """Whether windows with our own load, and with another program's counted in, agree with the processes' own times."""
    with NoiseMonitor() as monitor:
        time.sleep(0.5)
        own = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
        before, start_s = foreign_ticks(), time.perf_counter()
        with_own = window_of(monitor, 2)
        spent = (foreign_ticks() - before) / TICKS_PER_S
        passed = (time.perf_counter() - start_s) * usable_cores()
        outside = busy_outside_this_tree()
        try:
            with_foreign = window_of(monitor, 2)
            monitor.count_as_own(outside)
            time.sleep(0.5)
            before, start_s = foreign_ticks(), time.perf_counter()
            took = tree.stat(outside)
            counted_in = window_of(monitor, 2)
            now = tree.stat(outside)
            spent_in = (foreign_ticks() - before) / TICKS_PER_S
            passed_in = (time.perf_counter() - start_s) * usable_cores()
        finally:
            os.kill(outside, signal.SIGKILL)
            for process in own:
                process.kill()
                process.wait()
    if with_own.foreign_share is None:
        pytest.skip("no /proc/stat here")
    assert with_foreign.foreign_share is not None
    assert counted_in.foreign_share is not None
    assert took is not None
    assert now is not None
    without_ours = abs(with_own.foreign_share - spent / passed) <= 0.12  # without our own two
    assert with_foreign.flags()[-1].startswith("contention")
    spent_in -= (now.cpu_ticks - took.cpu_ticks) / TICKS_PER_S
    return without_ours and abs(counted_in.foreign_share - spent_in / passed_in) <= 0.12


def test_a_window_of_the_running_machine():
    with NoiseMonitor() as monitor:
        start_ns = time.perf_counter_ns()
        deadline_ns = start_ns + 20_000_000_000  # the probe may have to wait for its turn, too
        noise = None
        while noise is None or (noise.oversleep_p99_us is None and time.perf_counter_ns() < deadline_ns):
            time.sleep(0.5)
            end_ns = time.perf_counter_ns()
            noise = monitor.window(start_ns, end_ns)
        assert noise.oversleep_p99_us is not None and noise.oversleep_max_us is not None
        assert 0 <= noise.oversleep_p99_us <= noise.oversleep_max_us
        if noise.steal_share is None:
            assert "/proc/stat" in noise.reasons["steal_share"]
        else:
            assert 0 <= noise.steal_share <= 1
            assert noise.reasons == {}
        before = monitor.window(start_ns - 10_000_000_000, start_ns - 9_000_000_000)
        assert before.oversleep_p99_us is None and before.steal_share is None
        assert {"steal_share", "foreign_share", "oversleep_p99_us", "oversleep_max_us"} <= set(before.reasons)
        assert monitor.window(start_ns, end_ns).oversleep_max_us == noise.oversleep_max_us
        process = psutil.Process(monitor._probe.pid)
    assert not process.is_running()


def test_a_monitor_that_was_killed_is_started_again_and_the_gap_is_named():
    with NoiseMonitor() as monitor:
        monitor._probe.kill()
        gap = window_of(monitor, 0.05)
        assert gap.flags() == []
        figures, reasons = gap.metrics()
        assert set(figures.values()) == {None}
        assert "had ended (-9), it was started again" in reasons["foreign_share"]
        deadline = time.monotonic() + 20
        while (after := window_of(monitor, 0.5)).oversleep_p99_us is None and time.monotonic() < deadline:
            pass
        assert after.oversleep_p99_us is not None


def test_it_dies_with_a_parent_that_is_killed():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        probe = psutil.Process(int(parent.stdout.readline()))
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
        gone, alive = psutil.wait_procs([probe], timeout=60)
        assert gone and not alive
