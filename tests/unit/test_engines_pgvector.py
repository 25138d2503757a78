"""What conformance does not reach: parameters, SQL, the binary format, errors, and the life of a server of our own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pytest
import yaml
from pydantic import ValidationError

from engines.base import Batch, EngineError, Field, Keywords, Schema, UnsupportedError
from engines.filters import And, Eq, In, Not, Or, Range
from engines.pgvector import binary, local
from engines.pgvector.adapter import IndexParams, PgVector, SearchParams
from engines.pgvector.connection import Session, prepare_server
from engines.pgvector.filters import Condition, Conditions
from engines.pgvector.params import settings
from engines.pgvector.tables import Table
from engines.server import Endpoint

ROOT = Path(__file__).parents[2]
SCHEMA = Schema(
    2,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("r", "float"), Field("new", "boolean")),
)
SECRET = "s3cret-word"


# Parameters


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"index_type": "ivfflat", "m": 8}, "m: no parameter of index_type: ivfflat, remove it"),
        ({"lists": 5}, "lists: no parameter of index_type: hnsw"),
        ({"index_type": "none", "quantization": "halfvec"}, "quantization: no parameter of index_type: none"),
        ({"m": 60}, r"ef_construction must be >= 2 \* m, got 100 with m 60"),
        ({"maintenance_work_mem": "2GB'; drop"}, "maintenance_work_mem"),
    ],
)
def test_index_parameters_that_do_not_go_together_are_refused(
    params: dict[str, object], message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        IndexParams(**params)


def test_search_parameters_become_the_servers_settings() -> None:
    assert settings(SearchParams(ef_search=99), IndexParams()) == {
        "hnsw.ef_search": "99",
        "hnsw.iterative_scan": "relaxed_order",
        "hnsw.max_scan_tuples": "20000",
        "hnsw.scan_mem_multiplier": "1.0",
    }
    lists = IndexParams(index_type="ivfflat")
    assert settings(SearchParams(probes=3), lists)["ivfflat.probes"] == "3"
    assert settings(SearchParams(), IndexParams(index_type="none")) == {}


@pytest.mark.parametrize(
    ("search", "index", "message"),
    [
        ({"probes": 3}, {}, "probes: no parameter of index_type: hnsw, quantization: none"),
        ({"oversampling": 2.0}, {}, "oversampling: no parameter of index_type: hnsw, quantization: none"),
        ({"ef_search": 3}, {"index_type": "none"}, "ef_search: no parameter of index_type: none"),
        ({"iterative_scan": "strict_order"}, {"index_type": "ivfflat"}, "ivfflat has no iterative_scan"),
    ],
)
def test_search_parameters_of_another_index_are_refused(
    search: dict[str, object], index: dict[str, object], message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        settings(SearchParams(**search), IndexParams(**index))


@pytest.mark.parametrize(
    ("dim", "params", "remedy"),
    [
        (2001, {}, "quantization: halfvec or index_type: none"),
        (4001, {"quantization": "halfvec"}, "quantization: binary or index_type: none"),
        (16_001, {"index_type": "none"}, "holds vectors of up to 16000 dimensions, not 16001"),
    ],
)
def test_vectors_beyond_the_limits_are_refused(dim: int, params: dict[str, object], remedy: str) -> None:
    with pytest.raises(UnsupportedError, match=remedy):
        Table("t", Schema(dim, "l2"), IndexParams(**params)).check()


# SQL


def test_filters_put_no_value_into_the_sql() -> None:
    where = And(
        (
            Or((Eq("brand", "x'; --{}"), Not(In("price", (1, 2))))),
            Range("price", gt=1, lte=5),
            Range("price", gte=3),
            Range("r", gt=0.5, lt=2),
            Eq("new", True),
        )
    )
    assert Conditions(SCHEMA).translate(where).sql == (
        "((f0 = {} or not (f1 = any({}))) and f1 between {} and {} and f1 >= {} and (f2 > {} and f2 < {}) and f3 = {})"
    )
    values = Conditions(SCHEMA).translate(where).values
    assert values[0] == b"x'; --{}"
    assert values[2:5] == tuple(binary.integer(number) for number in (2, 5, 3))
    assert values[5:] == (binary.double(0.5), binary.double(2.0), b"\1")


def test_queries_use_the_vector_index_or_keep_away_from_it() -> None:
    where = Condition("f1 >= {}", (b"",))

    def sql(metric: str, exact: bool = False, oversampling: float = 1.0, **params: object) -> str:
        table = Table("t", Schema(2, metric), IndexParams(**params))  # type: ignore[arg-type]
        return table.search(3, where, exact=exact, oversampling=oversampling)

    rows = "from t where f1 >= $2"
    assert sql("l2") == f"select id, embedding <-> $1::vector {rows} order by 2 limit 3"
    assert sql("ip", exact=True) == f"select id, (embedding <#> $1::vector) + 0 {rows} order by 2 limit 3"
    assert sql("cosine", index_type="none") == (
        f"select id, coalesce(nullif(embedding <=> $1::vector, 'NaN'), 1) {rows} order by 2 limit 3"
    )
    assert sql("l2", quantization="halfvec") == (
        f"select id, embedding <-> $1::vector from (select id, embedding {rows} "
        "order by embedding::halfvec(2) <-> $1::vector::halfvec(2) limit 3) as candidates order by 2 limit 3"
    )
    assert "binary_quantize(embedding)::bit(2) <~> binary_quantize($1::vector)::bit(2) limit 6)" in sql(
        "l2", quantization="binary", oversampling=1.7
    )


# The binary format


def test_text_without_a_nul_of_its_own() -> None:
    words = ["", "\0", "\1", "\2", "\1\1", "\1\2", "a\0b", "a\1\2b", "日本語"]
    encoded = [binary.text(word) for word in words]
    assert len(set(encoded)) == len(words)
    assert not any(b"\0" in each for each in encoded)
    assert binary.text("日本語") == "日本語".encode()
    with pytest.raises(EngineError, match="no valid Unicode"):
        binary.text("\ud800")


def batch(ids: list[int], brands: list[str], ratings: list[float] | None = None) -> Batch:
    rows = len(ids)
    columns = {
        "brand": Keywords.encode(brands),
        "price": np.arange(rows),
        "r": np.array(ratings or [0.5] * rows),
        "new": np.zeros(rows, dtype=np.bool_),
    }
    return Batch(np.array(ids), np.arange(rows * 2, dtype=np.float32).reshape(rows, 2), columns)


def test_nan_is_refused() -> None:
    with pytest.raises(EngineError, match="NaN in 'r'"):
        list(binary.copy_data(batch([1, 2], ["a", "b"], [0.5, np.nan]), SCHEMA))


# A server of our own


@pytest.fixture(scope="module")
def launched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[local.Launched]:
    try:
        local.installed()
    except local.MissingServerError as error:
        pytest.skip(str(error))
    with local.running(tmp_path_factory.mktemp("pgvector"), cpus=2, memory_bytes=512 << 20) as server:
        yield server


@pytest.fixture
def server(launched: local.Launched, monkeypatch: pytest.MonkeyPatch) -> local.Launched:
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", launched.settings["URL"])
    return launched


@pytest.fixture
def engine(server: local.Launched, tmp_path: Path) -> Iterator[PgVector]:
    engine = PgVector(tmp_path, IndexParams())
    engine.create(SCHEMA)
    yield engine
    engine.drop()


def ids(engine: PgVector, brand: str) -> list[int]:
    found = engine.query(np.zeros(2, np.float32), 50, Eq("brand", brand), exact=True)
    return sorted(int(id_) for id_ in found.ids)


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
    many.vectors[399] = np.nan
    with pytest.raises(EngineError, match="NaN not allowed in vector"):
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


def test_who_may_not_connect_is_told_what_to_set(
    server: local.Launched, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
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


def refusal(path: Path) -> str:
    """What create() says."""
    start = time.monotonic()
    with pytest.raises(EngineError) as raised:
        PgVector(path, IndexParams()).create(SCHEMA)
    assert time.monotonic() - start < 10
    assert "\n" not in str(raised.value)
    return str(raised.value)


# Servers that cannot be used


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", f"postgresql://user:{SECRET}@127.0.0.1:{port}/postgres")
    message = refusal(tmp_path)
    assert message.startswith(f"pgvector: no connection to postgresql://127.0.0.1:{port}/postgres: ")
    assert "Connection refused" in message
    assert message.endswith("start the server, or set BAKEOFF_PGVECTOR_URL to where it listens")
    assert SECRET not in message


def test_a_password_as_a_parameter_of_the_url_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", f"postgresql://127.0.0.1/postgres?password={SECRET}")
    assert refusal(tmp_path) == "pgvector: the URL has a password=, set BAKEOFF_PGVECTOR_PASSWORD instead"


def test_a_url_that_libpq_cannot_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BAKEOFF_PGVECTOR_URL", "http://127.0.0.1:5432")
    assert "set BAKEOFF_PGVECTOR_URL to where it listens" in refusal(tmp_path)


@contextmanager
def stand_in(answer: Callable[[socket.socket], object]) -> Iterator[int]:
    """Listens, lets `answer` talk to whoever connects, and hangs up. Yields the port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                try:
                    link, _ = listening.accept()
                except OSError:
                    return
                with link:
                    answer(link)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


def test_a_server_without_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with stand_in(lambda link: (link.recv(8), link.sendall(b"N"))) as port:
        monkeypatch.setenv(
            "BAKEOFF_PGVECTOR_URL", f"postgresql://u@127.0.0.1:{port}/postgres?sslmode=require"
        )
        message = refusal(tmp_path)
    assert "server does not support SSL" in message
    assert "set BAKEOFF_PGVECTOR_CA_CERTS to its certificates" in message


def test_a_server_that_hangs_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with stand_in(lambda link: link.recv(1024)) as port:
        monkeypatch.setenv(
            "BAKEOFF_PGVECTOR_URL", f"postgresql://u@127.0.0.1:{port}/postgres?sslmode=disable"
        )
        assert "start the server, or set BAKEOFF_PGVECTOR_URL" in refusal(tmp_path)


class StandInConnection:
    """Answers what `prepare_server` asks."""

    def __init__(self, version: str, encoding: str) -> None:
        self.info, self._row, self._encoding = self, (version,), encoding
        self.server_version = 170_005

    def execute(self, query: str) -> StandInConnection:
        return self

    def fetchone(self) -> tuple[str]:
        return self._row

    def parameter_status(self, name: str) -> str:
        return self._encoding


def test_a_server_of_an_unsupported_version() -> None:
    assert prepare_server(StandInConnection("0.8.0", "UTF8")) == "PostgreSQL 17.5, pgvector 0.8.0"  # type: ignore[arg-type]
    with pytest.raises(
        EngineError, match=r"version 0\.7\.4, 0\.8 or newer is needed; .* alter extension vector update"
    ):
        prepare_server(StandInConnection("0.7.4", "UTF8"))  # type: ignore[arg-type]
    with pytest.raises(EngineError, match="encoded in SQL_ASCII"):
        prepare_server(StandInConnection("0.8.5", "SQL_ASCII"))  # type: ignore[arg-type]


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
