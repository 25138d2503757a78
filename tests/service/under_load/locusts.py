"""locustfile.py as a process of its own."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from harness.soak.load.recording import read_load
from tests.service.launch import ROOT, environment

# Looked for, not imported: it would change this process' sockets.
needs_locust = pytest.mark.skipif(find_spec("locust") is None, reason="pip install 'bakeoff[load]'")


def started(folder: Path, url: str, **options: float) -> subprocess.Popen[str]:
    """A load on the service at `url`, which writes into `folder`. options: of locustfile.py, without their dashes."""
    given = {"users": 32, "reads": 60, "writes": 60, "seconds": 2.5} | options
    command = [sys.executable, "-m", "locust", "-f", str(ROOT / "locustfile.py"), "--headless"]
    command += ["--only-summary", "--host", url, "--out", str(folder), "--spawn-rate", str(given["users"])]
    return subprocess.Popen(
        command + [part for name, value in given.items() for part in (f"--{name}", str(value))],
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def under_way(process: subprocess.Popen[str]) -> None:
    """Blocks until requests are about to be sent."""
    assert process.stderr is not None
    lines = []
    while not lines or "All users spawned" not in lines[-1]:
        lines.append(process.stderr.readline())
        assert lines[-1], lines


def finished(
    process: subprocess.Popen[str], folder: Path, timeout_s: float = 120.0
) -> tuple[dict[str, Any], Any]:
    """What a load that ends by itself has planned and counted, and its samples."""
    _, said = process.communicate(timeout=timeout_s)
    assert "Traceback" not in said, said
    assert (folder / "load.json").is_file(), said
    return read_load(folder)
