"""`bakeoff report | gate | data | engines | calibrate` from the command line."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import termios
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from engines.registry import ENGINES
from harness.results.metrics import spec
from tests.cli.conftest import Shell


def worse(shell: Shell, name: str, factor: float) -> str:
    """A copy of the finished run whose timings are `factor` times as good, with little noise."""
    result = json.loads((shell.folder / "runs" / "latest" / "result.json").read_text())
    for cell in result["measurements"]:
        cell["flags"] = []
        for metric in cell["metrics"]:
            if spec(metric).timed and spec(metric).better and cell["metrics"][metric]:
                better = spec(metric).better == "higher"
                cell["metrics"][metric] = 1000 * factor ** (1 if better else -1) * (1 + 0.001 * cell["trial"])
            elif metric.endswith("_bytes"):
                cell["metrics"][metric] = 1e8
    folder = shell.folder / name
    folder.mkdir(exist_ok=True)
    (folder / "result.json").write_text(json.dumps(result))
    return name


def test_a_run_passes_the_gate_against_itself(finished: Any) -> None:
    shell, _ = finished
    quiet = worse(shell, "quiet", 1.0)
    done = shell("gate", quiet, quiet)
    assert done.returncode == 0, "".join(line for line in done.stdout.splitlines(True) if "inconcl" in line)
    assert "Smallest change that would have failed" in done.stdout


def test_a_clear_regression_fails_the_gate_with_99(finished: Any) -> None:
    shell, _ = finished
    before, after = worse(shell, "before", 1.0), worse(shell, "after", 0.5)
    done = shell("gate", before, after, "--markdown", "gate.md", "--junit", "gate.xml")
    assert done.returncode == 99, done.stdout
    assert "throughput" in done.stdout
    assert "throughput" in (shell.folder / "gate.md").read_text()
    assert ET.parse(shell.folder / "gate.xml").getroot().findall(".//failure")
    slightly = worse(shell, "slightly", 0.8)
    assert shell("gate", before, slightly).returncode == 0  # within what whole runs differ by
    assert shell("gate", before, slightly, "--run-offset", "0.5%").returncode == 99
    assert shell("gate", before, slightly, "--run-offset", "0.5%", "--tolerance", "30").returncode == 0
    assert shell("gate", before, worse(shell, "better", 2.0)).returncode == 0
    assert shell("gate", before, slightly, before, after).returncode == 99  # several baselines


def test_what_cannot_be_judged_is_not_passed_unless_allowed(finished: Any) -> None:
    shell, _ = finished
    single = worse(shell, "single", 1.0)
    path = shell.folder / single / "result.json"
    result = json.loads(path.read_text())
    result["measurements"] = [cell for cell in result["measurements"] if cell["trial"] == 0]
    path.write_text(json.dumps(result))
    done = shell("gate", single, single, "--junit", "open.xml")
    assert done.returncode == 99, done.stdout
    assert "The gate is inconclusive" in done.stdout
    assert "--allow-inconclusive" in done.stderr
    assert ET.parse(shell.folder / "open.xml").getroot().findall(".//error")
    assert shell("gate", single, single, "--allow-inconclusive").returncode == 0


@pytest.mark.parametrize("wrong", ["x", "-1", "nan", "inf"])
def test_a_share_that_is_none_is_refused(finished: Any, wrong: str) -> None:
    shell, _ = finished
    for option in ("--tolerance", "--run-offset"):
        done = shell("gate", "a", "b", f"{option}={wrong}")
        assert done.returncode == 104
        assert option in done.stderr
        assert "below 100" in done.stderr


def test_other_data_is_not_compared_unless_told_to(finished: Any) -> None:
    shell, _ = finished
    before, after = worse(shell, "before", 1.0), worse(shell, "foreign", 1.0)
    path = shell.folder / after / "result.json"
    result = json.loads(path.read_text())
    result["dataset"]["fingerprint"] = "another"
    path.write_text(json.dumps(result))
    done = shell("gate", before, after)
    assert done.returncode == 104
    assert "dataset" in done.stderr
    assert shell("gate", before, after, "--force", "dataset").returncode == 0


def test_files_that_are_no_run_are_refused(finished: Any) -> None:
    shell, _ = finished
    assert shell("report", "nowhere").returncode == 104
    assert shell("gate", "runs/latest", "mine").returncode == 104
    (shell.folder / "junk").mkdir(exist_ok=True)
    (shell.folder / "junk" / "result.json").write_text('{"schema_version": 7}')
    done = shell("report", "junk")
    assert done.returncode == 104
    assert "schema_version" in done.stderr


def test_a_gate_output_that_cannot_be_written_is_named(finished: Any) -> None:
    shell, _ = finished
    done = shell("gate", "runs/latest", "runs/latest", "--junit", "missing-folder/gate.xml")
    assert done.returncode == 1
    assert "missing-folder/gate.xml" in done.stderr


def test_data_is_listed_and_described(finished: Any) -> None:
    shell, _ = finished
    assert "fashion-mnist" in shell("data", "list").stdout
    done = shell("data", "describe", "mine")
    assert done.returncode == 0
    for expected in ("300 items", "brand", "price", "Bär & Söhne"):
        assert expected in done.stdout
    done = shell("data", "describe", "nowhere")
    assert done.returncode == 104
    assert "nowhere" in done.stderr


def test_a_terminal_shows_one_line_of_progress_and_then_none(finished: Any) -> None:
    shell, _ = finished
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 60))
    environment = shell.environment() | {"TERM": "xterm", "BAKEOFF_CACHE": str(shell.folder / "empty")}
    del environment["COLUMNS"]
    command = [
        sys.executable,
        "-m",
        "harness.cli",
        "data",
        "describe",
        "synthetic:rows=2000,dim=8,queries=10",
    ]
    with subprocess.Popen(
        command, cwd=shell.folder, env=environment, stdout=subprocess.PIPE, stderr=theirs
    ) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # how the end of a pseudo-terminal shows
            while part := os.read(ours, 4096):
                shown += part
        assert process.stdout is not None and b"2,000 items" in process.stdout.read()
    os.close(ours)
    frames = [
        re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", line).strip() for line in re.split(r"[\r\n]+", shown.decode())
    ]
    assert any("starting" in frame for frame in frames)
    assert all(len(frame) <= 60 for frame in frames)
    assert shown.endswith(b"\x1b[2K")  # the line is erased


def test_engines_are_listed_with_their_parameters(finished: Any) -> None:
    shell, _ = finished
    listed = shell("engines").stdout
    for name in ENGINES:
        assert name in listed
    described = shell("engines", "bruteforce").stdout
    assert "l2" in described
    assert "  can: prefilter, exact" in shell("engines", "tests.cli.broken_engines:Raising").stdout
    for wrong in (
        "nope",
        "no.such.module:Engine",
        "json:nope",
        "json:loads",
        ":x",
        "json:",
        "tests.cli.conftest:Shell",
    ):
        done = shell("engines", wrong)
        assert done.returncode == 104, wrong
        assert f"engine '{wrong}'" in done.stderr


def test_calibration_is_json(finished: Any) -> None:
    shell, _ = finished
    figures = json.loads(shell("calibrate", "--quick").stdout)
    assert figures["client_ceiling"]["closed_loop_qps"] > 0
    assert figures["cores"] >= 1
