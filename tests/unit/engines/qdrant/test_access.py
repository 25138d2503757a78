"""The Qdrant server engine finding a server and being let in, or not."""

from __future__ import annotations

import os
import socket
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("qdrant_client")

import grpc
from qdrant_client import models

from engines.base import EngineError
from engines.qdrant.adapter import Qdrant
from engines.qdrant.control import endpoint
from engines.qdrant.params import IndexParams
from tests.servers.certificates import self_signed
from tests.servers.qdrant_stand_in import Failure, StandIn, running, standing_in
from tests.unit.engines.qdrant.contents import BATCH, SCHEMA

CODE = grpc.StatusCode


@pytest.mark.parametrize(
    ("version", "fine"),
    [("1.16.0", True), ("1.20.1-dev", True), ("2.0.0", True), ("1.15.4", False), ("", False)],
)
def test_servers_that_are_too_old_are_refused(
    engine: Qdrant, stand_in: StandIn, version: str, fine: bool
) -> None:
    stand_in.collections.version = version
    if fine:
        engine.create(SCHEMA)
        return
    with pytest.raises(EngineError, match=r"it is Qdrant (1\.15\.4|\?); use 1\.16 or newer"):
        engine.create(SCHEMA)


def test_a_server_that_keeps_no_mark_is_refused_and_left_clean(
    engine: Qdrant, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its mark a collection could never be told from somebody else's again."""
    made = stand_in.collections.create

    def forgetful(name: str, request: models.CreateCollection) -> None:
        made(name, request.model_copy(update={"metadata": None}))

    monkeypatch.setattr(stand_in.collections, "create", forgetful)
    with pytest.raises(EngineError, match=r"keeps no metadata.*use 1\.16 or newer"):
        engine.create(SCHEMA)
    assert not stand_in.collections.created


def test_keys(engine: Qdrant, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in.collections.api_key = "right"
    for given in (None, "wr0ng-s3cret"):
        if given is not None:
            monkeypatch.setenv("BAKEOFF_QDRANT_API_KEY", given)
        with pytest.raises(
            EngineError, match="credentials were refused; is BAKEOFF_QDRANT_API_KEY"
        ) as caught:
            engine.create(SCHEMA)
        assert "s3cret" not in f"{caught.value!r}"
    monkeypatch.setenv("BAKEOFF_QDRANT_API_KEY", "right")
    engine.create(SCHEMA)
    engine.index(BATCH)
    assert engine.count() == 6


@pytest.mark.parametrize("code", [CODE.UNAUTHENTICATED, CODE.PERMISSION_DENIED])
def test_credentials_that_are_refused_later(tmp_path: Path, stand_in: StandIn, code: grpc.StatusCode) -> None:
    with closing(Qdrant(tmp_path, IndexParams(prefer_grpc=True))) as engine:
        engine.create(SCHEMA)
        stand_in.failures.append(Failure("Query", code, "Forbidden"))
        with pytest.raises(EngineError, match=f"{code.name}: Forbidden; the credentials were refused"):
            engine.query(np.zeros(3, np.float32), 1)


def unused_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
    return port


@pytest.mark.parametrize("prefer_grpc", [True, False])
def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefer_grpc: bool) -> None:
    port = str(unused_port())
    monkeypatch.setenv("BAKEOFF_QDRANT_URL", f"http://user:s3cret@127.0.0.1:{port}")
    monkeypatch.setenv("BAKEOFF_QDRANT_GRPC_PORT", port)
    with (
        closing(Qdrant(tmp_path, IndexParams(prefer_grpc=prefer_grpc))) as engine,
        pytest.raises(
            EngineError, match=rf"http://127.0.0.1:{port}.*refused.*is the server running"
        ) as caught,
    ):
        engine.create(SCHEMA)
    assert "s3cret" not in str(caught.value)


def test_the_wrong_port(tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_QDRANT_GRPC_PORT", stand_in.url.rpartition(":")[2])
    with (
        closing(Qdrant(tmp_path, IndexParams(prefer_grpc=True))) as engine,
        pytest.raises(EngineError, match="BAKEOFF_QDRANT_GRPC_PORT its address"),
    ):
        engine.create(SCHEMA)
    for port in ("x", "0", "70000"):
        monkeypatch.setenv("BAKEOFF_QDRANT_GRPC_PORT", port)
        with (
            closing(Qdrant(tmp_path, IndexParams(prefer_grpc=True))) as engine,
            pytest.raises(EngineError, match="must be a port such as 6334"),
        ):
            engine.create(SCHEMA)


def test_ports_have_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAKEOFF_QDRANT_URL", "http://qdrant.example")
    monkeypatch.delenv("BAKEOFF_QDRANT_GRPC_PORT", raising=False)
    found, port = endpoint()
    assert (found.url, port) == ("http://qdrant.example:6333", 6334)


def test_tls_where_there_is_none(
    tmp_path: Path, stand_in: StandIn, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAKEOFF_QDRANT_URL", stand_in.url.replace("http", "https"))
    for prefer_grpc in (True, False):
        with (
            closing(Qdrant(tmp_path, IndexParams(prefer_grpc=prefer_grpc))) as engine,
            pytest.raises(EngineError, match=r"(?i)tls.*WRONG_VERSION_NUMBER"),
        ):
            engine.create(SCHEMA)


def test_tls_over_grpc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path)
    chain, key = (file.read_bytes() for file in certificate)
    with standing_in(credentials=grpc.ssl_server_credentials([(key, chain)])) as servers:
        for name, value in servers.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("BAKEOFF_QDRANT_URL", servers.url.replace("http", "https"))
        folder = tmp_path / "engine"
        folder.mkdir()
        with closing(Qdrant(folder, IndexParams(prefer_grpc=True))) as engine:
            with pytest.raises(EngineError, match=r"CERTIFICATE_VERIFY_FAILED"):
                engine.create(SCHEMA)
            monkeypatch.setenv("BAKEOFF_QDRANT_CA_CERTS", str(certificate[0]))
            engine.create(SCHEMA)
            engine.index(BATCH)
            engine.refresh()
            assert engine.count() == 6
            engine.drop()


def test_opening_a_collection_that_has_gone_or_changed(engine: Qdrant, stand_in: StandIn) -> None:
    made = replace(SCHEMA, model="tower@1#0123456789ab")
    engine.create(made)
    engine.close()
    engine.open(made)
    engine.close()
    with pytest.raises(
        EngineError, match=rf"{engine._name} holds .* model {made.model}, not of a model that is not named"
    ):
        engine.open(SCHEMA)
    stand_in.collections.drop(engine._name)
    with pytest.raises(EngineError, match="does not exist, create it first"):
        engine.open(SCHEMA)
    other = models.VectorParams(size=4, distance=models.Distance.EUCLID)
    stand_in.collections.create(engine._name, models.CreateCollection(vectors=other))
    with pytest.raises(EngineError, match=f"{engine._name} does not say which model"):
        engine.open(SCHEMA)


def test_the_launcher_yields_an_url_and_sets_the_grpc_port(tmp_path: Path) -> None:
    before = os.environ.get("BAKEOFF_QDRANT_GRPC_PORT")
    with running(tmp_path) as url:
        assert url.startswith("http://127.0.0.1:")
        assert os.environ["BAKEOFF_QDRANT_GRPC_PORT"].isdecimal()
    assert os.environ.get("BAKEOFF_QDRANT_GRPC_PORT") == before
