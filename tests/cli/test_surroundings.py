"""Commands where terminals, folders and readers are not as one would wish: a message, the right code, nothing lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from harness.cli.run_folder import new_folder
from harness.errors import ConfigurationError
from tests.cli.conftest import Shell
from tests.cli.test_other_commands import worse

PLAIN_LOCALE = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
ENCODINGS = [{"PYTHONIOENCODING": "ascii"}, {"PYTHONIOENCODING": "latin-1"}, PLAIN_LOCALE]
SMALL: dict[str, Any] = {
    "trials": 1,
    "engines": [{"engine": "bruteforce"}],
    "tasks": [{"task": "index"}, {"task": "search", "name": "closed", "duration_s": 0.1, "warmup_s": 0}],
}
COMMANDS = (
    ("report", "runs/latest"),
    ("gate", "runs/latest", "runs/latest", "--allow-inconclusive"),
    ("data", "list"),
    ("data", "describe", "mine"),
    ("engines",),
    ("engines", "faiss"),
    ("--help",),
    ("run", "--help"),
    ("--version",),
)


def call(shell: Shell, *arguments: str, environment: dict[str, str], **options: Any) -> Any:
    """A command whose output is looked at as bytes."""
    command = [sys.executable, "-m", "harness.cli", *arguments]
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL} | options
    done = subprocess.run(
        command, cwd=shell.folder, env=shell.environment() | environment, check=False, timeout=240, **given
    )
    for said in (done.stdout, done.stderr):
        assert b"Traceback" not in (said or b""), said
        assert b"Exception ignored" not in (said or b""), said
    return done


@pytest.mark.parametrize("environment", ENCODINGS, ids=["ascii", "latin-1", "C"])
def test_a_run_ends_well_in_any_encoding(shell: Shell, environment: dict[str, str]) -> None:
    data = pd.DataFrame({"größe": np.arange(300), "brand": ["東京", "Bär"] * 150})
    data.to_parquet(shell.folder / "mine" / "attributes.parquet")
    queries = np.random.default_rng(1).normal(size=(100, 8)).astype(np.float32)
    np.save(shell.folder / "mine" / "queries.npy", queries)  # enough of them to judge recall by
    done = call(shell, "run", shell.scenario(**SMALL), environment=environment)
    assert done.returncode == 0, done.stderr
    table = done.stdout.decode("ascii").splitlines()
    rows = [line for line in table if line.startswith(("|", "+"))]
    assert any("bruteforce" in row and "* pick" in row for row in rows), table
    assert len({len(row) for row in rows}) == 1  # readable: every row is as wide as the others
    assert (shell.folder / "runs" / "latest" / "report.html").exists()
    done = call(shell, "data", "describe", "mine", environment=environment)
    assert done.returncode == 0
    expected = (
        "größe".encode("latin-1") if "latin" in environment.get("PYTHONIOENCODING", "") else b"gr\\xf6\\xdfe"
    )
    assert expected in done.stdout
    assert b"\\u6771\\u4eac" in done.stdout


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_every_command_works_in_ascii(finished: Any, arguments: tuple[str, ...]) -> None:
    shell, _ = finished
    done = call(shell, *arguments, environment={"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert done.stdout.decode("ascii").strip()


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_reader_that_has_gone_changes_nothing(finished: Any, arguments: tuple[str, ...]) -> None:
    shell, _ = finished
    reading, writing = os.pipe()
    os.close(reading)
    done = call(shell, *arguments, environment={}, stdout=writing, stderr=writing)
    os.close(writing)
    assert done.returncode == 0


def test_a_gate_whose_reader_has_gone_still_fails_and_writes_its_files(finished: Any) -> None:
    shell, _ = finished
    before, after = worse(shell, "before-pipe", 1.0), worse(shell, "after-pipe", 0.5)
    reading, writing = os.pipe()
    os.close(reading)
    done = call(shell, "gate", before, after, "--junit", "pipe.xml", environment={}, stdout=writing)
    os.close(writing)
    assert done.returncode == 99
    assert "failure" in (shell.folder / "pipe.xml").read_text("utf-8")


def test_output_that_cannot_be_written_is_an_error(finished: Any) -> None:
    shell, _ = finished
    with Path("/dev/full").open("wb") as full:
        done = call(shell, "report", "runs/latest", environment={}, stdout=full)
    assert done.returncode == 1
    assert b"No space left on device" in done.stderr


def test_closed_streams_are_no_file_of_the_run(finished: Any) -> None:
    shell, _ = finished
    close = 'exec "$@" >&- 2>&-'
    command = ["bash", "-c", close, "bash", sys.executable, "-m", "harness.cli", "report", "runs/latest"]
    assert subprocess.run(command, cwd=shell.folder, env=shell.environment(), check=False).returncode == 0
    assert (shell.folder / "runs/latest/report.html").read_text("utf-8").startswith("<!")


def test_too_few_open_files_are_told_with_the_limit_to_raise(shell: Shell) -> None:
    limited = 'ulimit -n 16; exec "$@"'
    arguments = [
        "bash",
        "-c",
        limited,
        "bash",
        sys.executable,
        "-m",
        "harness.cli",
        "run",
        shell.scenario(**SMALL),
    ]
    done = subprocess.run(
        arguments, cwd=shell.folder, env=shell.environment(), capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"raise the limit on open files (ulimit -n)" in done.stderr
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("columns", ["1", "60", "400", "x", "-3"])
def test_any_width_shows_every_engine(finished: Any, columns: str) -> None:
    shell, _ = finished
    done = call(shell, "report", "runs/latest", environment={"COLUMNS": columns})
    assert done.returncode == 0
    shown = "".join(done.stdout.decode().split())
    assert "bruteforce" in shown
    assert "hnsw" in shown


# Folders


def test_a_folder_called_latest_stays_and_the_run_goes_on(shell: Shell) -> None:
    (shell.folder / "runs" / "latest").mkdir(parents=True)
    (shell.folder / "runs" / "latest" / "mine.txt").write_text("mine")
    done = shell("run", shell.scenario(**SMALL))
    assert done.returncode == 0, done.stderr
    assert "runs/latest is a folder and no link to the newest run; remove it to have one" in done.stderr
    names = {path.name for path in (shell.folder / "runs").iterdir()}
    assert len(names) == 2
    assert "latest" in names
    assert (shell.folder / "runs" / "latest" / "mine.txt").read_text() == "mine"


def test_runs_of_one_second_have_folders_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: new_folder(None, str(tmp_path / "runs"), "s"), range(16)))
    assert len(set(runs)) == 16
    assert all(run.is_dir() for run in runs)


def test_a_run_that_cannot_begin_leaves_no_folder(shell: Shell) -> None:
    assert shell("run", shell.scenario(k=1000)).returncode == 104
    assert list((shell.folder / "runs").iterdir()) == []


def test_folders_that_cannot_be_a_runs_are_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match="is a file; name a folder"):
        new_folder(str(tmp_path / "file"), "runs", "s")
    (tmp_path / "link").symlink_to("gone")
    with pytest.raises(ConfigurationError, match="a link to a folder that is gone"):
        new_folder(str(tmp_path / "link"), "runs", "s")


def test_long_and_odd_names(shell: Shell) -> None:
    assert "File name too long" in shell("run", "tiny.yaml", "--out", "x" * 300).stderr
    assert "File name too long" in shell("report", "x" * 5000).stderr
    assert shell("run", shell.scenario("n" * 150, **SMALL)).returncode == 0
    done = shell.drawing()("run", shell.scenario(**SMALL), "--out", "o[bold]\x1b[31m\udcff")
    assert done.returncode == 0, done.stderr
    assert "\x1b" not in done.stdout + done.stderr
    assert "o[bold]\\x1b[31m" in done.stdout
    page = next(shell.folder.glob("o*/report.html")).read_text("utf-8")
    assert "\x1b" not in page


# Options


@pytest.mark.parametrize(
    "arguments",
    [
        *(
            ("run", "tiny.yaml", option, "")
            for option in ("--engines", "--dataset", "--out", "--runs", "--url")
        ),
        ("run", ""),
        ("report", " "),
        ("gate", "a", "b", "--junit", ""),
        *(("gate", "a", "b", f"--tolerance={value}") for value in ("nan", "-1", "inf", "100", "x", "")),
        ("run", "tiny.yaml", "--engines", "bruteforce,"),
    ],
    ids=" ".join,
)
def test_options_without_sense_are_refused(shell: Shell, arguments: tuple[str, ...]) -> None:
    done = shell(*arguments)
    assert done.returncode == 104
    assert arguments[-1].partition("=")[0].strip() in done.stderr
    assert not (shell.folder / "runs").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ("run", "tiny.yaml", "--url", "qdrant=https://me:hush-hush@h:1"),  # no engine of the scenario
        ("run", "tiny.yaml", "--url", "https://me:hush-hush@h:1"),
        ("run", "tiny.yaml", "--url", "pgvector=me:hush-hush@h:1"),
        ("run", "tiny.yaml", "--url", "pgvector=postgresql://me:hush/hush-hush@h:1"),
        ("run", "tiny.yaml", "--url", "pgvector=postgresql://me:hush@hush-hush@h:x"),
        ("run", "tiny.yaml", "--url", "pgvector=http://h:1?api_key=hush-hush"),
        ("run", "tiny.yaml", "--ulr", "qdrant=https://me:hush-hush@h:1"),
        ("run", "https://me:hush-hush@h:1"),
        ("engines", "https://h?token=hush-hush"),
        ("calibrate", "https://me:hush-hush@h:1"),
    ],
    ids=str,
)
def test_no_command_line_repeats_a_password(shell: Shell, arguments: tuple[str, ...]) -> None:
    shell.scenario(engines=[{"engine": "pgvector"}])
    done = shell(*arguments)
    assert done.returncode == 104
    assert "hush" not in done.stdout + done.stderr
    assert "error: " in done.stderr


def test_what_an_engine_says_is_made_harmless(shell: Shell) -> None:
    engines = [{"engine": "tests.cli.broken_engines:Vandal", "label": "vandal"}, {"engine": "bruteforce"}]
    changes = {"BAKEOFF_X_PASSWORD": "hush-hush"}
    done = shell.drawing()("run", shell.scenario(**SMALL | {"engines": engines}), env_changes=changes)
    assert done.returncode == 1, done.stderr
    run = shell.folder / "runs" / "latest"
    errors = [
        cell["error"]
        for cell in json.loads((run / "result.json").read_text())["measurements"]
        if cell["error"]
    ]
    assert errors
    assert all("\\x1b[2J\\x07\\x9b31m\\u202e ***\\ud800" in error for error in errors), errors
    page = (run / "report.html").read_text("utf-8")
    for text in (done.stdout, done.stderr, page, *errors):
        assert not set("\x1b\x07\x9b\u202e\ud800") & set(text)
        assert "hush" not in text
    assert "\\x1b[2J" in page
    assert shell("gate", "runs/latest", "runs/latest").returncode in (0, 99)
