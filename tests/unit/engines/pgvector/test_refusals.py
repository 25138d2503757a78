"""Servers that pgvector's adapter cannot use, and what it says of them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from engines.base import EngineError
from engines.pgvector.adapter import IndexParams, PgVector
from engines.pgvector.connection import Session, prepare_server
from engines.server.endpoint import Endpoint
from engines.server.launched import Launched
from tests.unit.engines.pgvector.items import SCHEMA

SECRET = "s3cret-word"


def refusal(path: Path) -> str:
    """What create() says."""
    start = time.monotonic()
    with pytest.raises(EngineError) as raised:
        PgVector(path, IndexParams()).create(SCHEMA)
    assert time.monotonic() - start < 10
    assert "\n" not in str(raised.value)
    return str(raised.value)


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
    message = refusal(tmp_path)
    assert "after the ? stands something that is not a setting of a connection" in message
    assert "BAKEOFF_PGVECTOR_PASSWORD" in message
    assert SECRET not in message


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
