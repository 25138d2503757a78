"""What was acknowledged is there after kill -9, in every engine that declares `durable` and can be killed here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from engines.base import Engine, EngineError
from engines.filters import Eq
from engines.pgvector import local
from engines.registry import ENGINES, MissingClientError, load
from tests.conformance.writing_process import SCHEMA, batch, expected

ROOT = Path(__file__).parents[2]
STEPS = 12  # acknowledged before the kill, which comes in the middle of a later one


@contextmanager
def writing(name: str, index: dict[str, object], path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that writes; returned to once it has had STEPS acknowledged."""
    command = [sys.executable, "-m", "tests.conformance.writing_process", name, json.dumps(index), str(path)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert child.stdout is not None
    try:
        for _ in range(STEPS):
            if not child.stdout.readline():
                pytest.fail(f"{name}: {child.communicate()[1][-1000:]}")
        yield child
    finally:
        child.kill()
        child.communicate()


def killed_while_writing(name: str, index: dict[str, object], path: Path, kill: Callable[[], None]) -> int:
    """Writes, kills whatever holds the collection, and returns how many steps had been acknowledged by then."""
    with writing(name, index, path) as child:
        kill()
        child.kill()
        rest = child.communicate()[0].split()
    return int(rest[-1]) if rest else STEPS


def missing(engine: Engine, steps: int) -> list[str]:
    """What an engine, opened again, lacks of what was acknowledged. The step after may be there in part."""
    try:
        engine.open(SCHEMA)
    except (EngineError, OSError) as error:
        return [f"everything: {error}"]
    engine.refresh()
    found: dict[int, int] = {}
    for step in range(steps + 1):
        hits = engine.query(batch(step).vectors[0], 1000, Eq("step", step))
        found |= dict.fromkeys([int(id_) for id_ in hits.ids], step)
    engine.close()
    under_way = set(batch(steps).ids.tolist()) | {steps * 50 + 1}
    wanted = {id_: step for id_, step in expected(steps).items() if id_ not in under_way}
    lost = [f"{id_} of step {step}" for id_, step in wanted.items() if found.get(id_) != step]
    back = [f"{id_}, deleted" for id_ in found.keys() - wanted.keys() - under_way]
    return lost + back


@pytest.mark.parametrize("name", sorted(ENGINES))
def test_embedded_engines_keep_what_they_acknowledged(name: str, tmp_path: Path) -> None:
    try:
        kind = load(name)
    except MissingClientError as error:
        pytest.skip(str(error))
    if kind.capabilities.server or not kind.capabilities.durable:
        pytest.skip("declares no `durable`, or a server holds its collection")
    steps = killed_while_writing(name, {}, tmp_path, lambda: None)
    assert missing(kind(tmp_path, kind.IndexParams()), steps) == []


def test_an_engine_that_writes_when_it_is_closed_is_caught(tmp_path: Path) -> None:
    """FAISS does, and declares that it is not durable."""
    kind = load("faiss")
    assert not kind.capabilities.durable
    killed_while_writing("faiss", {}, tmp_path, lambda: None)
    assert missing(kind(tmp_path, kind.IndexParams()), STEPS)


@pytest.fixture
def postgres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[local.Launched]:
    try:
        local.installed()
    except local.MissingServerError as error:
        pytest.skip(str(error))
    (tmp_path / "pgvector").mkdir()
    with local.running(tmp_path / "pgvector", cpus=2, memory_bytes=512 << 20) as launched:
        monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", launched.settings["URL"])
        yield launched


def kill_tree(pid: int) -> list[str]:
    """Kills a server and its children at once; returns the command it ran."""
    server = psutil.Process(pid)
    command, tree = server.cmdline(), [server, *server.children(recursive=True)]
    for process in tree:
        process.kill()
    psutil.wait_procs(tree, timeout=10)
    return command


@pytest.mark.parametrize("loses", [False, True], ids=["as-launched", "commits-asynchronously"])
def test_pgvectors_server_keeps_what_it_acknowledged(
    postgres: local.Launched, tmp_path: Path, loses: bool
) -> None:
    """Beside it a server told to acknowledge before it writes, which this test has to catch."""
    kind = load("pgvector")
    path = tmp_path / "collection"
    path.mkdir()
    if loses:
        change_settings(
            "alter system set synchronous_commit = off", "alter system set wal_writer_delay = '10s'"
        )
    command: list[str] = []
    steps = killed_while_writing("pgvector", {}, path, lambda: command.extend(kill_tree(postgres.pid)))
    with (tmp_path / "restarted.log").open("wb") as said:
        server = local._spawn(command, said.fileno())
        try:
            await_connection()
            found = missing(kind(path, kind.IndexParams()), steps)
        finally:
            local._stop(server)
    assert bool(found) == loses, found[:5]


def await_connection() -> None:
    """Waits while a server recovers."""
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(os.environ["BAKEOFF_PGVECTOR_URL"]).close()
            return
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
        time.sleep(0.05)


def change_settings(*statements: str) -> None:
    with psycopg.connect(os.environ["BAKEOFF_PGVECTOR_URL"], autocommit=True) as connection:
        for statement in (*statements, "select pg_reload_conf()"):
            connection.execute(statement.encode())
    time.sleep(0.2)
