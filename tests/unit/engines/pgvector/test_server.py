"""pgvector against a real server, where conformance does not reach, and that server's life."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml

from engines.base import Batch, EngineError, Field, Keywords, Schema
from engines.filters import Eq
from engines.pgvector import local
from engines.pgvector.adapter import IndexParams, PgVector, SearchParams
from engines.pgvector.connection import Session
from engines.server.endpoint import Endpoint
from engines.server.launched import Launched
from engines.server.names import collection_name

ROOT = Path(__file__).parents[4]
SCHEMA = Schema(
    2,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("r", "float"), Field("new", "boolean")),
)
SECRET = "s3cret-word"


def batch(ids: list[int], brands: list[str], ratings: list[float] | None = None) -> Batch:
    rows = len(ids)
    columns = {
        "brand": Keywords.encode(brands),
        "price": np.arange(rows),
        "r": np.array(ratings or [0.5] * rows),
        "new": np.zeros(rows, dtype=np.bool_),
    }
    return Batch(np.array(ids), np.arange(rows * 2, dtype=np.float32).reshape(rows, 2), columns)


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launched]:
    try:
        local.installed()
    except local.MissingServerError as error:
        pytest.skip(str(error))
    with local.running(tmp_path_factory.mktemp("pgvector"), cpus=2, memory_bytes=512 << 20) as server:
        yield server


@pytest.fixture
def server(launched: Launched, monkeypatch: pytest.MonkeyPatch) -> Launched:
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", launched.settings["URL"])
    return launched


@pytest.fixture
def engine(server: Launched, tmp_path: Path) -> Iterator[PgVector]:
    engine = PgVector(tmp_path, IndexParams())
    engine.create(SCHEMA)
    yield engine
    engine.drop()


def ids(engine: PgVector, brand: str) -> list[int]:
    found = engine.query(np.zeros(2, np.float32), 50, Eq("brand", brand), exact=True)
    return sorted(int(id_) for id_ in found.ids)


def test_every_index_stands_when_refresh_returns(engine: PgVector) -> None:
    """Nothing is built in the background: CREATE INDEX returns when the index can be used."""

    def usable() -> set[str]:
        return set(
            engine._open.mine().texts(
                "select relname::text from pg_index join pg_class on oid = indexrelid where indisvalid and indisready "
                f"and indislive and not indisprimary and indrelid = '{engine._name}'::regclass"
            )
        )

    engine.index(batch([*range(2000)], ["a", "b"] * 1000))
    assert usable() == set()
    engine.refresh()
    assert usable() == set(engine._table.indexes(set()))
    assert len(usable()) == 1 + len(SCHEMA.fields)


def test_texts_too_long_for_a_b_tree_are_hashed(engine: PgVector) -> None:
    long = os.urandom(9000).hex()
    engine.index(batch([0, 1], ["a", "b"]))
    engine.refresh()
    engine.index(batch([2, 3], [long, "a"]))
    assert ids(engine, long) == [2]
    engine.refresh()
    session = engine._open.mine()
    assert session.texts(engine._table.method("f0")) == ["hash"]
    assert (ids(engine, long), ids(engine, "a")) == ([2], [0, 3])
    engine.index(batch([4], [long]))
    engine.refresh()
    assert ids(engine, long) == [2, 4]


def test_ids_that_another_client_has_written_are_replaced(engine: PgVector, tmp_path: Path) -> None:
    other = PgVector(tmp_path, IndexParams())
    other.open(SCHEMA)
    engine.index(batch([0, 1], ["a", "b"]))
    other.index(batch([1, 2], ["c", "d"]))  # knows of no ids, so that it takes these for new
    assert (engine.count(), ids(engine, "b"), ids(engine, "c")) == (3, [], [1])
    assert (engine.stats().retries, other.stats().retries) == (0, 1)
    other.close()


def test_a_part_that_is_refused_fails_the_batch(engine: PgVector) -> None:
    many = batch(list(range(400)), ["a"] * 400)
    engine._open.mine().run(f"alter table {engine._name} add check (id <> 399)")
    with pytest.raises(EngineError, match="violates check constraint"):
        engine.index(many)
    assert engine.count() < 400


def test_a_lost_connection_fails_one_query_and_is_made_again(engine: PgVector) -> None:
    engine.index(batch([0, 1], ["a", "b"]))
    session = Session(Endpoint.of("pgvector"))
    session.execute(f"select pg_terminate_backend({engine._open.mine().connection.info.backend_pid})")
    session.close()
    with pytest.raises(EngineError, match=r"terminating connection|closed the connection"):
        engine.query(np.zeros(2, np.float32), 1)
    assert len(engine.query(np.zeros(2, np.float32), 1).ids) == 1


def test_settings_reach_every_thread(engine: PgVector) -> None:
    seen: list[str] = []

    def look() -> None:
        seen.extend(engine._open.mine().texts("select current_setting('hnsw.ef_search')"))

    go, done = threading.Event(), threading.Event()

    def twice() -> None:
        look()
        done.set()
        go.wait(10)
        look()

    thread = threading.Thread(target=twice)
    thread.start()
    done.wait(10)
    engine.configure(SearchParams(ef_search=321))
    go.set()
    thread.join()
    assert seen == ["64", "321"]


def test_what_the_server_calls_by_our_name_but_is_not_ours_is_refused(
    engine: PgVector, tmp_path: Path
) -> None:
    engine._open.mine().run(f"comment on table {engine._name} is 'something else'")
    other = PgVector(tmp_path, IndexParams())
    with pytest.raises(EngineError, match="another collection: something else"):
        other.open(SCHEMA)
    engine._open.mine().run(f"drop table {engine._name}")
    with pytest.raises(EngineError, match="holds no collection in bakeoff_"):
        other.open(SCHEMA)


def refusal(path: Path) -> str:
    """What create() says."""
    with pytest.raises(EngineError) as raised:
        PgVector(path, IndexParams()).create(SCHEMA)
    return str(raised.value)


def test_who_may_not_connect_is_told_what_to_set(
    server: Launched, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    admin = Session(Endpoint.of("pgvector"))
    rules = server.data / "pg_hba.conf"
    rules.write_text("local all postgres trust\nlocal all all scram-sha-256\n")
    admin.run(f"create role tester login password '{SECRET}'")
    admin.run("select pg_reload_conf()")
    monkeypatch.setenv("BAKEOFF_PGVECTOR_USER", "tester")
    monkeypatch.setenv("BAKEOFF_PGVECTOR_PASSWORD", f"not {SECRET}")
    message = refusal(tmp_path)
    assert "password authentication failed" in message
    assert message.endswith("set BAKEOFF_PGVECTOR_USER and BAKEOFF_PGVECTOR_PASSWORD to those of the server")
    assert SECRET not in message
    monkeypatch.setenv("BAKEOFF_PGVECTOR_PASSWORD", SECRET)
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", server.settings["URL"].replace("/postgres?", "/template1?"))
    assert "let a superuser run: create extension vector" in refusal(tmp_path)
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", server.settings["URL"].replace("/postgres?", "/nowhere?"))
    assert 'database "nowhere" does not exist; name one that exists' in refusal(tmp_path)
    admin.close()


# The life of a server of our own

_LAUNCH = """
import sys, time
from pathlib import Path
from engines.pgvector import local
with local.running(Path(sys.argv[1]), 2, 512 << 20) as server:
    print(server.pid, server.data, flush=True)
    time.sleep(120)
"""


@pytest.mark.usefixtures("launched")
def test_a_server_does_not_outlive_a_killed_process_nor_hinder_the_next(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _LAUNCH, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        pid, data = process.stdout.readline().split()
        server = psutil.Process(int(pid))
        family = [server, *server.children(recursive=True)]
        assert len(family) > 3
        process.send_signal(signal.SIGKILL)
    assert Path(data).exists()
    with local.running(tmp_path, 2, 512 << 20) as launched:
        assert launched.data == Path(data)
        _, alive = psutil.wait_procs(family, timeout=10)
        assert not alive
        assert psutil.pid_exists(launched.pid)
    assert not psutil.pid_exists(launched.pid)
    assert not launched.data.exists()


@pytest.mark.usefixtures("launched")
def test_a_long_path_and_a_stale_folder_are_no_hindrance(tmp_path: Path) -> None:
    folder = Path("/var/tmp") / f"bakeoff-test-{os.getpid()}" / ("long" * 30)
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "postmaster.pid").write_text("1\nstale\n")
    try:
        with local.running(folder, 2, 512 << 20) as launched:
            found = re.search(r"host=%2Ftmp%2Fbakeoff-\w+", launched.settings["URL"])
            assert found
            assert launched.data == folder / "data"
        assert not Path(found.group().removeprefix("host=").replace("%2F", "/")).exists()
    finally:
        subprocess.run(["rm", "-r", str(folder.parent)], check=True)


@pytest.mark.usefixtures("launched")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands PostgreSQL over to another account")
def test_programs_that_the_other_account_cannot_reach_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "_reachable", lambda path: False)
    with local.running(tmp_path, 2, 512 << 20) as launched:
        home = launched.data.parent
        assert Path(psutil.Process(launched.pid).exe()).is_relative_to(home)
    assert not home.exists()


@pytest.mark.usefixtures("launched")
def test_a_server_that_does_not_start_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local, "server_settings", lambda cpus, memory: {"shared_buffers": "lots"})
    with (
        pytest.raises(
            EngineError, match=r'did not start: .*invalid value for parameter "shared_buffers": "lots"'
        ),
        local.running(tmp_path, 2, 1 << 30),
    ):
        pass


def test_the_container_has_the_same_settings() -> None:
    service = yaml.safe_load((ROOT / "docker/pgvector/compose.yaml").read_text())["services"]["pgvector"]
    command = (
        service["command"][2]
        .replace("${BAKEOFF_MEMORY_MIB:-4096}", "4096")
        .replace("${BAKEOFF_CPUS:-2}", "2")
    )
    halved = re.sub(r"`expr (\d+) / (\d)`", lambda found: str(int(found[1]) // int(found[2])), command)
    assert dict(re.findall(r"-c (\w+)=(\S+)", halved)) == local.server_settings(2, 4 << 30)


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        ("create table {0} (id int)", "a table"),
        ("create table {0} (id int); comment on table {0} is 'the shop''s'", "a table"),
        ("create table shop_items (id int); create view {0} as select * from shop_items", "no table"),
    ],
)
def test_a_foreign_table_is_never_dropped(
    server: Launched, tmp_path: Path, made: str, complaint: str
) -> None:
    name = collection_name(tmp_path)
    session = Session(Endpoint.of("pgvector"))
    session.run(made.format(name))
    engine = PgVector(tmp_path, IndexParams())
    for call in (lambda: engine.create(SCHEMA), engine.drop):
        with pytest.raises(EngineError, match=f"{complaint}, and was not made by this harness"):
            call()
    assert session.texts(f"select to_regclass('{name}')::text") == [name]
    session.run(f"drop {'view' if 'view' in made else 'table'} {name}; drop table if exists shop_items")
    engine.create(SCHEMA)
    engine.create(SCHEMA)  # one that is ours is replaced
    engine.drop()
    assert session.texts(f"select to_regclass('{name}')::text") == [""]
    session.close()


def segments() -> set[str]:
    """The keys of the System V segments of this machine."""
    return {line.split()[0] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}


def test_a_server_that_was_killed_leaves_no_shared_memory(tmp_path: Path) -> None:
    with local.running(tmp_path, 2, 512 << 20) as launched:
        key = str(launched.data.stat().st_ino)
        assert key in segments()
        server = psutil.Process(launched.pid)
        for process in [server, *server.children(recursive=True)]:
            process.kill()
        psutil.wait_procs(server.children(recursive=True), timeout=10)
    assert key not in segments()
