"""Skipped tests are summed up by cause, and expected failures stay listed one by one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.skips import summed

ROOT = Path(__file__).parents[2]


def test_reasons_of_one_cause_are_one_line() -> None:
    reasons = [
        "Skipped: no Docker engine answers: [Errno 2]",
        "Skipped: no Docker, or no Compose",
        "Skipped: no image of qdrant: make one with tests/servers/images/build-all",
        "Skipped: none of chromium, google-chrome is installed (on Debian: apt-get install chromium)",
        "Skipped: engine 'faiss' needs faiss. Install it with: pip install 'bakeoff[faiss]'",
        "Skipped: engine 'faiss' needs faiss. Install it with: pip install 'bakeoff[faiss]'",
        "Skipped: no /proc\\nhere",
    ]
    docker, package, chromium, other = summed(reasons)
    assert docker.startswith("    3 no Docker engine, or no images of servers in it (as root: ")
    assert package == "    2 engine 'faiss' needs faiss. Install it with: pip install 'bakeoff[faiss]'"
    assert chromium == "    1 no Chromium (apt-get install chromium)"
    assert other.startswith("    1 no /proc")


def test_the_end_of_a_run_names_causes_and_expected_failures(tmp_path: Path) -> None:
    path = tmp_path / "test_some.py"
    path.write_text(
        "import pytest\n"
        "@pytest.mark.parametrize('n', range(3))\n"
        "def test_skipped(n): pytest.skip('no Docker engine answers')\n"
        "@pytest.mark.xfail(reason='upstream', strict=True)\n"
        "def test_gap(): assert False\n"
        "def test_fine(): pass\n"
    )
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-p", "tests.conftest", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 skipped, by cause" in done.stdout
    assert "\n    3 no Docker engine" in done.stdout
    assert "SKIPPED" not in done.stdout
    assert "XFAIL " in done.stdout and "upstream" in done.stdout
