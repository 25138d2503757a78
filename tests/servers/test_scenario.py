"""The scenario servers-smoke through the command line, with real servers in containers, some of which come to harm.

Images: those of BAKEOFF_IMAGE_<ENGINE> or of the compose files where Docker has them, else the ones that
tests/servers/images/build-all makes.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from harness.errors import ConfigurationError
from harness.paths import find_scenario
from harness.results.result import Measurement, RunResult, read_result
from harness.scenario.specs import load_scenario
from harness.servers.compose import read_compose
from harness.servers.docker_engine import OWNER
from tests.cli.conftest import Shell

docker = pytest.importorskip("docker")

pytestmark = pytest.mark.timeout(1800)
SCENARIO = "servers-smoke"
# Engine -> what its adapter calls the server that it spoke to.
SERVERS = {
    "elasticsearch": "Elasticsearch ",
    "opensearch": "OpenSearch ",
    "milvus": "Milvus ",
    "pgvector": "PostgreSQL ",
}
FOUND_S, DONE_S = 240.0, 1600.0  # on a machine that other suites keep busy
GONE_S = 60.0  # within which a container is gone once its run is
MIB = 2**20


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """A Docker engine; without one these tests are skipped, in CI they fail."""
    try:
        client = docker.from_env()
    except docker.errors.DockerException as error:
        _unable(f"no Docker engine answers: {error}")
    yield client
    client.close()


@pytest.fixture(scope="module")
def images(client: Any) -> dict[str, str]:
    """Engine -> image to run it from."""
    limits = load_scenario(find_scenario(SCENARIO)).limits
    found = {}
    for engine in SERVERS:
        made = [tag for image in client.images.list(f"local/{engine}") for tag in image.tags]
        for image in (read_compose(engine, limits).service.image, *sorted(made, reverse=True)):
            try:
                client.images.get(image)
            except docker.errors.ImageNotFound:
                continue
            found[engine] = image
            break
        else:
            _unable(f"no image of {engine}: make one with tests/servers/images/build-all")
    return found


def _unable(reason: str) -> None:
    if os.environ.get("BAKEOFF_REQUIRE_DOCKER"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture
def shell(tmp_path: Path, images: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    for engine, image in images.items():
        monkeypatch.setenv(f"BAKEOFF_IMAGE_{engine.upper()}", image)
        monkeypatch.delenv(f"BAKEOFF_{engine.upper()}_URL", raising=False)
    shell = Shell(tmp_path)
    yield shell
    shell.end()


def start(shell: Shell, *engines: str) -> subprocess.Popen[str]:
    only = ["--engines", ",".join(engines)] if engines else []
    return shell.start("run", SCENARIO, "--out", "run", *only)


def finish(process: subprocess.Popen[str]) -> str:
    """What it wrote to stderr."""
    err = process.communicate(timeout=DONE_S)[1]
    assert "Traceback" not in err, err
    return err


def result(shell: Shell) -> RunResult:
    return read_result(shell.folder / "run")


def cells(shell: Shell, engine: str) -> list[Measurement]:
    found = [cell for cell in result(shell).measurements if cell.engine == engine]
    assert [cell.kind for cell in found] == ["index", "search", "search", "search", "updates", "durability"]
    return found


def assert_fine(found: list[Measurement]) -> None:
    assert [cell.error for cell in found if cell.error and not cell.error.startswith("unsupported: ")] == []
    assert found[0].error is None


_processes: dict[int, set[str]] = {}  # every process that was seen below a run


def containers(client: Any, run: subprocess.Popen[str]) -> list[Any]:
    """Those of a run, by the process that their label names: one that the run started."""
    below = _processes.setdefault(run.pid, set())
    with contextlib.suppress(psutil.NoSuchProcess):
        below |= {str(child.pid) for child in psutil.Process(run.pid).children(recursive=True)}
    everyone = client.containers.list(all=True, filters={"label": OWNER}, ignore_removed=True)
    return [each for each in everyone if each.labels[OWNER].split()[-2] in below]


def await_container(client: Any, run: subprocess.Popen[str]) -> Any:
    deadline = time.monotonic() + FOUND_S
    while time.monotonic() < deadline and run.poll() is None:
        if running := [each for each in containers(client, run) if each.status == "running"]:
            return running[0]
        time.sleep(0.1)
    raise AssertionError(
        f"no container was started: {run.communicate()[1] if run.poll() is not None else ''}"
    )


def await_index(shell: Shell, engine: str) -> None:
    """Until the result file holds the engine's first cell."""
    deadline = time.monotonic() + FOUND_S
    while time.monotonic() < deadline:
        with contextlib.suppress(ConfigurationError):  # there is no result yet
            if engine in {cell.engine for cell in result(shell).measurements}:
                return
        time.sleep(0.05)
    raise AssertionError(f"{engine} was not measured within {FOUND_S:g} s")


def test_every_task_is_measured_on_every_server(shell: Shell, images: dict[str, str], client: Any) -> None:
    run = start(shell.drawing())
    err = finish(run)
    assert run.returncode == 0, err
    assert containers(client, run) == []
    engines, report = result(shell).engines, (shell.folder / "run" / "report.html").read_text("utf-8")
    for engine, name in SERVERS.items():
        found = cells(shell, engine)
        assert_fine(found)
        assert_plausible(found[0].metrics)
        for cell in found:
            if cell.kind == "search" and cell.error is None:
                assert (cell.metrics["throughput_qps"] or 0) > 0
                assert cell.metrics["errors"] == cell.metrics["violations"] == 0
                assert (cell.metrics["recall_at_10"] or 0) > 0.7
        assert found[-1].error is None
        assert found[-1].metrics["killed_lost"] == found[-1].metrics["reopened_lost"] == 0
        facts = engines[engine]
        assert facts["server"] == {
            "run": "container",
            "image": images[engine],
            "cpus": 2.0,
            "memory_mib": 2048,
        }
        assert facts["version"].startswith(name), facts["version"]
        assert facts["version"].removeprefix(name)[0].isdigit(), facts["version"]
        assert images[engine] in report


def assert_plausible(index: dict[str, float | None]) -> None:
    """2,000 vectors of 32 numbers are 250 KiB; two CPUs are never more than two."""
    figures = {name: value or 0.0 for name, value in index.items()}
    outside_the_clock_s = 10  # creating the collection
    assert 0 < figures["cpu_s"] < 2.2 * (figures["index_s"] + figures["ready_s"] + outside_the_clock_s)
    assert 0 < figures["client_cpu_s"] < 60
    assert 10 * MIB < figures["rss_bytes"] < 2048 * MIB
    assert 10 * MIB < figures["rss_peak_bytes"] <= 2048 * MIB
    assert 250 * 1024 < figures["disk_bytes"] < 2048 * MIB
    assert figures["retries"] == 0


def test_a_killed_run_leaves_no_container(shell: Shell, client: Any) -> None:
    killed = start(shell, "pgvector")
    await_container(client, killed)
    killed.kill()
    killed.communicate()
    deadline = time.monotonic() + GONE_S
    while containers(client, killed) and time.monotonic() < deadline:
        time.sleep(0.2)
    assert containers(client, killed) == []


def test_what_is_left_when_everything_is_killed_at_once_is_removed_by_the_next_run(
    shell: Shell, client: Any
) -> None:
    killed = start(shell, "pgvector")
    left = await_container(client, killed)
    # Stopped first, all of them: what outlives the others by a moment would begin to tidy up.
    process = psutil.Process(killed.pid)
    process.suspend()
    everything = [process, *process.children(recursive=True)]
    for act in (psutil.Process.suspend, psutil.Process.kill):
        for each in everything:
            with contextlib.suppress(psutil.NoSuchProcess):
                act(each)
    killed.communicate()
    assert left.id in [each.id for each in containers(client, killed)]
    (shell.folder / "run").rename(shell.folder / "killed")
    run = start(shell, "pgvector")
    err = finish(run)
    assert run.returncode == 0, err
    assert containers(client, killed) == []
    assert_fine(cells(shell, "pgvector"))
    assert any("that an earlier, killed run had left were removed" in note for note in result(shell).notes)


def test_a_server_that_is_killed_fails_its_cells_and_no_others(
    shell: Shell, images: dict[str, str], client: Any
) -> None:
    run = start(shell, "milvus", "pgvector")
    await_index(shell, "milvus")
    (victim,) = containers(client, run)
    assert victim.attrs["Config"]["Image"] == images["milvus"]
    victim.kill()
    finish(run)
    index, *others = cells(shell, "milvus")
    assert index.error is None
    for cell in others:
        assert "its container does not run: it ended with exit code 137" in str(cell.error)
        assert "last log lines: " in str(cell.error)
        assert cell.metrics == {}
    assert_fine(cells(shell, "pgvector"))
    assert containers(client, run) == []


def test_an_image_that_cannot_be_had_costs_that_engine_only(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, client: Any
) -> None:
    monkeypatch.setenv("BAKEOFF_IMAGE_MILVUS", "local/none:1")
    run = start(shell, "milvus", "pgvector")
    err = finish(run)
    assert run.returncode == 1
    assert "error: engine milvus: every cell failed" in err
    for cell in cells(shell, "milvus"):
        assert str(cell.error).startswith("milvus: image local/none:1 cannot be pulled: ")
        assert str(cell.error).endswith(". Set BAKEOFF_IMAGE_MILVUS to one that can")
    assert_fine(cells(shell, "pgvector"))
    assert containers(client, run) == []
