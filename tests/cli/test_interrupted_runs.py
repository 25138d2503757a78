"""Runs that are interrupted, resumed or short of time; two runs in one folder."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.results.result import RunResult, read_result
from harness.results.writing import write_result
from tests.cli.conftest import Shell
from tests.cli.results import broken, cells, wait_for_cells


def gone(pids: list[int]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_keeps_its_cells_and_resumes(shell: Shell, number: signal.Signals) -> None:
    process = shell.start("run", "tiny.yaml", "--out", "runs/cut", start_new_session=True)
    run = shell.folder / "runs" / "cut"
    wait_for_cells(run, 3)
    children = [child.pid for child in psutil.Process(process.pid).children(recursive=True)]
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: Ctrl-C reaches every process of the run
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert "Traceback" not in err
    assert gone(children)  # nothing outlives the run
    if number != signal.SIGKILL:
        assert process.returncode == 1
        assert "--resume" in err
    cut = read_result(run)
    assert cut.finished_at is None
    assert shell("report", "runs/cut").returncode == 0  # a report of what there is
    done = shell("run", "tiny.yaml", "--out", "runs/cut", "--resume")
    assert done.returncode == 0, done.stderr
    assert f"Report:   bakeoff report {run}\nDecision: {run / 'decision.json'}\n" in done.stdout
    assert not (run / "report.html").exists()  # the one that was there told of another decision
    result = read_result(run)
    assert result.finished_at is not None
    assert len(result.measurements) == 24
    before = {cell.key: cell for cell in cut.measurements}
    after = {cell.key: cell for cell in result.measurements}
    assert len(after) == 24
    assert all(after[key] == cell for key, cell in before.items())


def test_a_run_of_another_scenario_cannot_be_resumed(finished: Any) -> None:
    shell, _ = finished
    done = shell("run", shell.scenario("other", k=3), "--resume")
    assert done.returncode == 104
    assert "its scenario is another one" in done.stderr


def cut(run: Path, task: str) -> RunResult:
    """Takes the cells of a task from a finished run, as if it had been killed before them."""
    result = read_result(run)
    left = [cell for cell in result.measurements if cell.task != task]
    result = result.model_copy(update={"measurements": left, "finished_at": None})
    write_result(run, result)
    return result


def test_a_run_is_not_resumed_on_another_version(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = shell.scenario("up", trials=1, engines=[broken("Upgradable"), {"engine": "bruteforce"}])
    monkeypatch.setenv("TEST_SERVER_VERSION", "1.0")
    assert shell("run", scenario, "--out", "runs/up").returncode == 0
    run = shell.folder / "runs" / "up"
    before = cut(run, "updates")
    monkeypatch.setenv("TEST_SERVER_VERSION", "2.0")
    done = shell("run", scenario, "--out", "runs/up", "--resume")
    after = read_result(run)
    assert [cell for cell in after.measurements if cell.task != "updates"] == before.measurements
    upgraded, kept = (cells(after, engine=label, kind="updates")[0] for label in ("upgradable", "bruteforce"))
    assert upgraded.metrics == {}
    assert "Server 1.0 then, Server 2.0 now" in upgraded.error
    assert kept.error is None
    assert "1 of" in done.stderr
    monkeypatch.setenv("TEST_SERVER_VERSION", "1.0")
    assert shell("run", scenario, "--out", "runs/up", "--resume").returncode == 0
    assert not [cell.error for cell in read_result(run).measurements if cell.error]
    other = before.model_copy(update={"environment": before.environment | {"python": "3.9.1"}})
    write_result(run, other)
    done = shell("run", scenario, "--out", "runs/up", "--resume")
    assert done.returncode == 104
    assert "its Python is another version: 3.9.1 then" in done.stderr
    assert read_result(run) == other


def test_two_runs_cannot_share_a_folder(shell: Shell) -> None:
    first = shell.start("run", "tiny.yaml", "--out", "runs/one")
    run = shell.folder / "runs" / "one"
    wait_for_cells(run, 1)
    second = shell("run", "tiny.yaml", "--out", "runs/one", "--resume")
    assert second.returncode == 104
    assert f"process {first.pid} on " in second.stderr
    assert shell("report", "runs/one").returncode == 0  # to read it is no harm
    first.communicate(timeout=120)
    assert first.returncode == 0
    result = read_result(run)
    assert len(result.measurements) == len({cell.key for cell in result.measurements}) == 24
    assert not [path.name for path in run.iterdir() if path.name in (".lock", "cells.jsonl")]


def test_resuming_a_finished_run_measures_nothing_again(finished: Any) -> None:
    shell, _ = finished
    before = read_result(shell.folder / "runs" / "latest")
    assert shell("run", "tiny.yaml", "--resume").returncode == 0
    assert read_result(shell.folder / "runs" / "latest").measurements == before.measurements


def test_a_budget_that_is_short_shortens_windows_evenly_and_keeps_two_trials(shell: Shell) -> None:
    tasks = [{"task": "index"}, {"task": "search", "name": "long", "duration_s": 10, "warmup_s": 0}]
    name = shell.scenario("short", tasks=tasks, trials=3, budget_s=20, filters=[{"name": "none"}])
    start = time.monotonic()
    done = shell("run", name, "--engines", "bruteforce,hnsw")
    took_s = time.monotonic() - start
    assert done.returncode == 0, done.stderr
    result = read_result(shell.folder / "runs" / "latest")
    searches = cells(result, kind="search")
    assert {cell.trial for cell in searches} >= {0}
    assert took_s < 2 * 3 * 10  # six windows of two engines in three trials, even without their overhead
    assert [note for note in result.notes if "of their length, for every engine alike" in note]
    if {cell.trial for cell in searches} == {0, 1}:
        assert [note for note in result.notes if "2 of 3 trials were run" in note]
    for trial in (0, 1):
        counts = {cell.engine for cell in searches if cell.trial == trial}
        assert len(counts) in (0, 2)
    assert result.finished_at is not None


def test_a_budget_that_is_used_up_ends_the_run_and_names_what_is_missing(shell: Shell) -> None:
    slow = {"engine": "tests.cli.broken_engines:SlowToIndex", "label": "slow"}
    name = shell.scenario("used-up", budget_s=3, engines=[slow, {"engine": "bruteforce"}])
    done = shell("run", name)
    assert done.returncode == 0, done.stderr
    result = read_result(shell.folder / "runs" / "latest")
    assert {cell.engine for cell in result.measurements} == {"slow"}
    assert [note for note in result.notes if "was used up within trial 1" in note and "of bruteforce" in note]
    decision = json.loads((shell.folder / "runs" / "latest" / "decision.json").read_text())
    assert decision["verdict"] != "pick"
