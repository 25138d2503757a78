"""A Milvus server that is old, silent, refuses, or is not there."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from engines.base import EngineError

pytest.importorskip("pymilvus")

import grpc

from engines.milvus import connection
from engines.milvus.adapter import Milvus
from engines.milvus.params import ServerIndexParams
from tests.servers.fake_milvus import FakeMilvus
from tests.unit.engines.milvus.contents import SCHEMA


def refused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@pytest.mark.parametrize(
    ("version", "accepted"),
    [("2.2.16", False), ("v2.3.0", True), ("v2.6.15-gpu", True), ("master-1a2b", True)],
)
def test_old_servers_are_refused(server: FakeMilvus, tmp_path: Path, version: str, accepted: bool) -> None:
    server.version = version
    engine = Milvus(tmp_path, ServerIndexParams())
    if accepted:
        engine.create(SCHEMA)
        assert engine._open.server == f"Milvus {version.removeprefix('v')}"
    else:
        with pytest.raises(
            EngineError, match=r"version 2\.2\.16 is not supported, 2.3 is the oldest that is"
        ):
            engine.create(SCHEMA)
    engine.close()


def test_no_server_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BAKEOFF_MILVUS_URL", f"http://me:hunter2@127.0.0.1:{refused_port()}")
    with pytest.raises(EngineError, match=r"UNAVAILABLE: .*; is the server running, and is") as raised:
        Milvus(tmp_path, ServerIndexParams()).create(SCHEMA)
    assert "hunter2" not in str(raised.value)


def test_tls_where_the_server_has_none(server: FakeMilvus, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("BAKEOFF_MILVUS_URL", server.url.replace("http:", "https:"))
    with pytest.raises(EngineError, match="with https:// exactly if it speaks TLS"):
        Milvus(tmp_path, ServerIndexParams()).create(SCHEMA)


def test_a_server_that_is_silent_is_given_up_in_seconds(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(connection, "_CONNECT_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("BAKEOFF_MILVUS_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(EngineError, match=r"DEADLINE_EXCEEDED: .*is it overloaded, or out of reach"):
            Milvus(tmp_path, ServerIndexParams()).create(SCHEMA)


def test_wrong_credentials_are_named_and_not_shown(
    server: FakeMilvus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAKEOFF_MILVUS_USER", "root")
    monkeypatch.setenv("BAKEOFF_MILVUS_PASSWORD", "hunter2")
    server.answers["ShowCollections"] = lambda _: (
        grpc.StatusCode.UNAUTHENTICATED,
        "auth check failure, hunter2",
    )
    with pytest.raises(
        EngineError, match=r"auth check failure, .*set BAKEOFF_MILVUS_USER and _PASSWORD"
    ) as raised:
        Milvus(tmp_path, ServerIndexParams()).create(SCHEMA)
    assert "hunter2" not in str(raised.value)
