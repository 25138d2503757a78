"""Servers in containers where no Docker engine answers: one sentence before anything is measured."""

from __future__ import annotations

from typing import Any

import pytest

from harness.results.result import read_result
from tests.cli.conftest import Shell

NONE: dict[str, Any] = {"env_changes": {"DOCKER_HOST": "unix:///nowhere/docker.sock"}}
SMALL: dict[str, Any] = {
    "trials": 1,
    "filters": [{"name": "none"}],
    "tasks": [{"task": "index"}, {"task": "search", "name": "closed", "duration_s": 0.1, "warmup_s": 0}],
}
REMEDY = (
    "no Docker engine answers (No such file or directory); start one, or name a server that runs, as in "
    "--url qdrant=URL"
)


@pytest.fixture(autouse=True)
def no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for engine in ("QDRANT", "ELASTICSEARCH"):
        monkeypatch.delenv(f"BAKEOFF_{engine}_URL", raising=False)


def test_where_every_engine_needs_it_nothing_is_begun(shell: Shell) -> None:
    engines = [{"engine": "qdrant"}, {"engine": "elasticsearch", "label": "other"}]
    done = shell("run", shell.scenario(engines=engines, **SMALL), **NONE)
    assert done.returncode == 104
    assert done.stderr == f"error: qdrant, other would run in containers, but {REMEDY}\n"
    assert done.stdout == ""
    assert not (shell.folder / "runs").exists()


def test_engines_that_can_run_do_and_the_others_are_named_in_one_line(shell: Shell) -> None:
    engines = [{"engine": "qdrant"}, {"engine": "bruteforce"}]
    name = shell.scenario(engines=engines, **SMALL)
    told = f"left out: qdrant would run in a container, but {REMEDY}"
    for resumed in ((), ("--resume",)):
        done = shell("run", name, *resumed, **NONE)
        assert done.returncode == 1
        assert done.stderr.splitlines()[0] == told
        assert done.stderr.splitlines()[-1] == f"error: {told}"
        result = read_result(shell.folder / "runs" / "latest")
        assert result.finished_at is not None
        assert [(cell.engine, cell.error) for cell in result.measurements] == [("bruteforce", None)] * 2
        assert result.notes == [told]


def test_a_server_that_runs_needs_no_docker(shell: Shell) -> None:
    engines = [{"engine": "qdrant"}, {"engine": "bruteforce"}]
    done = shell(
        "run", shell.scenario(engines=engines, **SMALL), "--url", "qdrant=http://127.0.0.1:9", **NONE
    )
    assert "left out" not in done.stderr
    assert "engine qdrant: every cell failed" in done.stderr  # nothing listens there
