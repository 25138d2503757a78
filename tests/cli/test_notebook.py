"""The notebook of the documents, executed on a small run as a reader would execute it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat

from tests.cli.conftest import REPOSITORY, Shell

NOTEBOOK = REPOSITORY / "docs" / "results.ipynb"
EXECUTE = "from nbclient.cli import main; main()"


def execute(shell: Shell) -> subprocess.CompletedProcess[str]:
    """Executes a copy of the notebook in the shell's folder, into executed.ipynb beside it."""
    shutil.copy(NOTEBOOK, shell.folder)
    own = dict.fromkeys(("JUPYTER_RUNTIME_DIR", "IPYTHONDIR"), str(shell.folder / "jupyter"))
    return subprocess.run(
        [sys.executable, "-c", EXECUTE, NOTEBOOK.name, "--output", "executed.ipynb"],
        check=False,
        cwd=shell.folder,
        env=shell.environment() | own,
        capture_output=True,
        text=True,
        timeout=240,
    )


def test_it_is_kept_without_outputs() -> None:
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")]


def test_it_shows_a_table_and_a_chart_of_a_run(finished: Any) -> None:
    shell, _ = finished
    done = execute(shell)
    assert done.returncode == 0, done.stderr
    cells = nbformat.read(shell.folder / "executed.ipynb", as_version=4).cells
    shown = [output.get("data", {}) for cell in cells for output in cell.get("outputs", [])]
    tables, charts = ([data[kind] for data in shown if kind in data] for kind in ("text/html", "image/png"))
    assert "bruteforce" in tables[0] and "brand" in tables[0]
    assert len(charts) == 1 and len(charts[0]) > 5_000


def test_without_a_run_it_stops_and_says_what_is_missing(tmp_path: Path) -> None:
    done = execute(Shell(tmp_path))
    assert done.returncode == 1
    assert "runs/latest: cannot be read" in done.stderr
    assert not (tmp_path / "executed.ipynb").exists()
