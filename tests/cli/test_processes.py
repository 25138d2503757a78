"""Nothing that a run has started outlives it: processes, sockets, temporary folders, the pipe it prints to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.children import log, tree
from harness.machine.environment import usable_cores
from harness.results.result import read_result
from tests.cli.conftest import Shell

LEFT = f"left-behind-{os.getpid()}-{time.time_ns()}"


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Other runs on this machine have processes and temporary folders too."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)  # it is looked up once
    monkeypatch.setenv("BAKEOFF_FAULT", LEFT)
    yield
    assert not of_this_test()
    assert not list((tmp_path / "tmp").iterdir())


def fault(name: str) -> dict[str, Any]:
    return {"engine": f"tests.faults.processes:{name}", "label": name.lower()}


def one_trial(shell: Shell, *names: str, **changes: Any) -> str:
    tasks = [
        {"task": "index"},
        {"task": "search", "name": "closed", "duration_s": 0.3, "warmup_s": 0},
    ]
    engines = [fault(name) for name in (*names, "Sound")]
    defaults = {"trials": 1, "tasks": tasks, "filters": [{"name": "none"}], "engines": engines}
    return shell.scenario("processes", **(defaults | changes))


def named(text: str) -> list[int]:
    """Processes, other than this one, with a word in their command."""
    return [pid for pid in tree.pids() if text in tree.command(pid)]


def of_this_test() -> list[str]:
    """Processes that a run of this test has started, by their environment or command."""
    found = [pid for pid in tree.pids() if tree.environment(pid).get("BAKEOFF_FAULT") == LEFT]
    living = [pid for pid in found if (one := tree.stat(pid)) and not one.ended]
    return [tree.command(pid) for pid in (*living, *named(LEFT)) if pid != os.getpid()]


def clients() -> list[str]:
    return [command for command in of_this_test() if "bakeoff client process" in command]


@pytest.mark.parametrize("name", ["LeavesChild", "LeavesDaemon", "LeavesFork"])
def test_what_an_engine_leaves_behind_is_ended_and_named(shell: Shell, name: str) -> None:
    done = shell("run", one_trial(shell, name))
    assert done.returncode == 0, done.stderr
    result = read_result(shell.folder / "runs" / "latest")
    assert not named(LEFT)
    notes = [note for note in result.notes if "left a process behind" in note]
    if name == "LeavesFork":  # it looks like the session that it was forked from
        assert len(notes) <= 1
    else:
        assert len(notes) == 1
        assert notes[0].startswith(f"{name.lower()} left a process behind")
        assert LEFT in notes[0]
    assert not [cell for cell in result.measurements if cell.error]


def test_clients_of_a_killed_session_end_with_it(shell: Shell) -> None:
    tasks = [
        {"task": "index"},
        {"task": "search", "name": "two", "clients": 2, "processes": 2, "duration_s": 0.3, "warmup_s": 0},
    ]
    name = one_trial(shell, "SpinsInClients", tasks=tasks, cell_timeout_s=15)
    start = time.monotonic()
    # As `bakeoff run ... | cat`: the pipe has ended when the run has.
    done = shell("run", name)
    assert done.returncode == 0, done.stderr
    assert not of_this_test()
    result = read_result(shell.folder / "runs" / "latest")
    spinning, sound = (
        [cell for cell in result.measurements if cell.engine == engine and cell.kind == "search"]
        for engine in ("spinsinclients", "sound")
    )
    assert all("it reported nothing" in str(cell.error) for cell in spinning)
    assert not any(cell.error for cell in sound)
    assert not [note for note in result.notes if "left a process" in note]
    assert time.monotonic() - start < 240


def test_a_session_that_dies_leaves_neither_processes_nor_folders(shell: Shell) -> None:
    done = shell("run", one_trial(shell, "DiesInIndex"))
    assert done.returncode == 1
    result = read_result(shell.folder / "runs" / "latest")
    assert all("SIGKILL" in str(cell.error) for cell in result.measurements if cell.engine == "diesinindex")
    assert not any(cell.error for cell in result.measurements if cell.engine == "sound")
    assert not named(LEFT)
    assert [note for note in result.notes if LEFT in note]
    assert not (shell.folder / "runs" / "latest" / "engines").exists()


def test_what_engines_print_cannot_fill_the_disk(shell: Shell) -> None:
    done = shell("run", one_trial(shell, "Prints"))
    assert done.returncode == 0, done.stderr
    text = (shell.folder / "runs" / "latest" / "engines.log").read_text()
    assert len(text) < 2 << 20
    assert "first line" in text
    assert "last line" in text
    assert "bytes left out of the middle" in text


def test_the_log_is_bounded_over_all_sessions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "TOTAL_BYTES", 1 << 20)
    for number in range(100):
        bounded = log.BoundedLog(tmp_path / "engines.log")
        bounded.write(f"start {number}\n".encode())
        for _ in range(100):
            bounded.write(b"y" * 10_000)
        bounded.write(f"end {number}\n".encode())
        bounded.close()
    text = (tmp_path / "engines.log").read_text()
    assert len(text) < 2 << 20
    assert all(f"start {number}\n" in text and f"end {number}\n" in text for number in range(100))


def test_little_output_is_kept_as_it_is(tmp_path: Path) -> None:
    bounded = log.BoundedLog(tmp_path / "engines.log")
    for number in range(1000):
        bounded.write(f"line {number}\n".encode())
    bounded.close()
    assert (tmp_path / "engines.log").read_text() == "".join(f"line {number}\n" for number in range(1000))


def test_the_pipe_behind_a_killed_run_ends(shell: Shell) -> None:
    tasks = [
        {"task": "index"},
        {"task": "search", "name": "two", "clients": 2, "processes": 2, "duration_s": 0.3, "warmup_s": 0},
    ]
    name = one_trial(shell, "SpinsInClients", tasks=tasks, cell_timeout_s=250)
    process = shell.start("run", name, "--out", "runs/piped")
    deadline = time.monotonic() + 120
    while not clients() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert clients()
    process.kill()
    process.communicate(timeout=60)  # hangs where anything still holds the pipes
    deadline = time.monotonic() + 60
    while of_this_test() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not of_this_test()


def test_the_next_run_ends_what_a_run_killed_with_its_keeper_left(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys\n"
        "from harness.children import leftovers\n"
        "name = leftovers.new_name()\n"
        "leftovers.temporary(name).mkdir()\n"
        "os.environ[leftovers.VARIABLE] = name\n"
        f"subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300)', {LEFT!r}, sys.argv[1]],\n"
        "    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(leftovers.temporary(name))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    folder = Path(done.stdout.strip())
    assert named(str(tmp_path))
    assert folder.exists()
    from harness.children.leftovers import remove_leftovers

    removed = remove_leftovers()
    assert any(LEFT in entry for entry in removed)
    assert str(folder) in removed
    assert not named(str(tmp_path))
    assert not folder.exists()


def test_memory_that_grows_during_a_search_is_seen(shell: Shell) -> None:
    tasks = [{"task": "index"}, {"task": "search", "name": "closed", "duration_s": 1.0, "warmup_s": 0.1}]
    done = shell("run", one_trial(shell, "HoldsMemory", tasks=tasks))
    assert done.returncode == 0, done.stderr
    result = read_result(shell.folder / "runs" / "latest")
    holding, sound = (
        next(cell for cell in result.measurements if cell.engine == engine and cell.kind == "search")
        for engine in ("holdsmemory", "sound")
    )
    kept = holding.metrics["queries"] * (1 << 16)
    assert 0.9 * kept < holding.metrics["rss_growth_bytes"] < 1.5 * kept + (64 << 20)
    assert sound.metrics["rss_growth_bytes"] < 16 << 20
    assert sound.metrics["queries"] > holding.metrics["queries"]


def test_a_process_that_left_the_tree_counts_as_the_engines(shell: Shell) -> None:
    tasks = [{"task": "index"}, {"task": "search", "name": "closed", "duration_s": 1.0, "warmup_s": 0}]
    done = shell("run", one_trial(shell, "DaemonWorks", tasks=tasks))
    assert done.returncode == 0, done.stderr
    result = read_result(shell.folder / "runs" / "latest")
    assert not named(LEFT)
    working, sound = (
        next(cell for cell in result.measurements if cell.engine == engine and cell.kind == "search")
        for engine in ("daemonworks", "sound")
    )
    # The daemon computes all the time beside one client, so that a query seems to cost twice as much; by query, because
    # other programs may leave either run less of the machine.
    costly, usual = (cell.metrics["cpu_s"] / cell.metrics["queries"] for cell in (working, sound))
    assert costly > 1.4 * usual


def test_other_programs_on_the_machine_flag_every_cell_and_block_the_decision(shell: Shell) -> None:
    spin = [sys.executable, "-c", "while True: pass"]
    others = [subprocess.Popen(spin) for _ in range(usable_cores() // 2 + 1)]
    tasks = [{"task": "index"}, {"task": "search", "name": "closed", "duration_s": 1.0, "warmup_s": 0.1}]
    try:
        done = shell.drawing()("run", one_trial(shell, "DaemonWorks", trials=2, tasks=tasks))
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert done.returncode == 0, done.stderr
    run = shell.folder / "runs" / "latest"
    searches = [cell for cell in read_result(run).measurements if cell.kind == "search"]
    assert len(searches) == 4
    for cell in searches:
        assert cell.metrics["foreign_share"] > 0.05
        assert any(flag.startswith("contention ") for flag in cell.flags), cell.flags
    decision = json.loads((run / "decision.json").read_text())
    assert decision["verdict"] == "no decision"
    page = (run / "report.html").read_text()
    assert page.index("The machine was busy") < page.index('id="decision"')
