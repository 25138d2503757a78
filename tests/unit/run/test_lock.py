"""A run's folder is one process's at a time, however the one before ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import ConfigurationError, MeasurementError
from harness.run.lock import locked

HOLD = """
import sys
from pathlib import Path
from harness.run.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def holder(run: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(run)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_process_is_refused_and_told_the_first(tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = holder(run)
    with (
        pytest.raises(ConfigurationError, match=f"process {process.pid} on .* is writing a run into it"),
        locked(run),
    ):
        raise AssertionError("the folder is held")
    process.communicate("")
    assert process.returncode == 0
    with locked(run):
        (run / "kept").touch()
    assert [path.name for path in run.iterdir()] == ["kept"]


def test_a_killed_owner_locks_nothing(tmp_path: Path) -> None:
    run = tmp_path / "run"
    process = holder(run)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert (run / ".lock").exists()
    with locked(run):
        assert (run / ".lock").read_text().startswith(f"process {os.getpid()} on ")

        other = subprocess.run(
            [sys.executable, "-c", HOLD, str(run)], capture_output=True, text=True, check=False
        )
        assert f"process {os.getpid()} on" in other.stderr


def test_a_folder_that_was_made_for_nothing_goes_again(tmp_path: Path) -> None:
    with locked(tmp_path / "new"):
        pass
    assert not (tmp_path / "new").exists()
    (tmp_path / "old").mkdir()
    with locked(tmp_path / "old"):
        pass
    assert (tmp_path / "old").is_dir()


def test_what_cannot_be_locked_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (
        pytest.raises(MeasurementError, match="file/run: cannot be written"),
        locked(tmp_path / "file" / "run"),
    ):
        raise AssertionError("there is no folder")


def test_many_at_once_leave_one_owner(tmp_path: Path) -> None:
    # Each takes the folder, counts itself in, and leaves; two at once would lose a count.
    code = """
import sys, time
from pathlib import Path
from harness.errors import ConfigurationError
from harness.run.lock import locked
run, done = Path(sys.argv[1]), 0
while done < 20:
    try:
        with locked(run):
            count = int((run / "count").read_text())
            time.sleep(0.001)
            (run / "count").write_text(str(count + 1))
            done += 1
    except ConfigurationError:
        time.sleep(0.001)
"""
    (tmp_path / "count").write_text("0")
    processes = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    assert [process.wait(timeout=60) for process in processes] == [0] * 4
    assert (tmp_path / "count").read_text() == "80"
