"""The Elasticsearch adapter against a server that refuses, fails, is busy, or is none."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("elasticsearch")

from engines.base import EngineError, Field, Schema
from engines.elasticsearch.adapter import Elasticsearch
from engines.elasticsearch.params import IndexParams
from tests.servers.certificates import self_signed
from tests.servers.fake_elasticsearch import Answer, Handle, node, serving

SCHEMA = Schema(3, "l2", (Field("price", "integer"),))


@contextmanager
def created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handle: Handle, **index: Any
) -> Iterator[Elasticsearch]:
    with serving(handle) as url:
        monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_URL", url)
        engine = Elasticsearch(tmp_path, IndexParams(**index))
        engine.create(SCHEMA)
        try:
            yield engine
        finally:
            engine.close()


# Servers that cannot be used


def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handle: Handle, **serve: Any) -> str:
    with serving(handle, **serve) as url:
        monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_URL", url)
        monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_USER", "me")
        monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_PASSWORD", "s3cret")
        for begin in ("create", "open"):
            engine = Elasticsearch(tmp_path, IndexParams())
            with pytest.raises(EngineError) as caught:
                getattr(engine, begin)(SCHEMA)
            engine.close()
    text = str(caught.value)
    assert url in text
    assert "s3cret" not in text
    assert "\n" not in text
    return text


def test_an_old_server_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is Elasticsearch 8.19.1; version 9 or later" in refused(tmp_path, monkeypatch, node("8.19.1"))


def test_a_server_that_refuses_the_clients_version_is_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = {"type": "media_type_header_exception", "reason": "Accept version must be either version 8 or 7"}
    answer = (400, {"error": error, "status": 400})
    assert "older than this client" in refused(tmp_path, monkeypatch, lambda *_: answer)


def test_another_product_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is not Elasticsearch" in refused(tmp_path, monkeypatch, node(), product=None)


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials_are_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    answer = (status, {"error": {"type": "security_exception", "reason": "unable to authenticate [me]"}})
    text = refused(tmp_path, monkeypatch, lambda *_: answer)
    assert "credentials were refused, check BAKEOFF_ELASTICSEARCH_USER" in text


def test_no_server_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_URL", f"http://127.0.0.1:{port}")
    engine = Elasticsearch(tmp_path, IndexParams())
    with pytest.raises(EngineError, match=r"no connection .*refused"):
        engine.create(SCHEMA)
    engine.close()
    monkeypatch.delenv("BAKEOFF_ELASTICSEARCH_URL")
    with pytest.raises(EngineError, match="set BAKEOFF_ELASTICSEARCH_URL"):
        engine.create(SCHEMA)


def test_credentials_are_sent_by_both_clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: set[str | None] = set()
    original = BaseHTTPRequestHandler.parse_request

    def spy(handler: BaseHTTPRequestHandler) -> bool:
        parsed = original(handler)
        seen.add(handler.headers.get("Authorization"))
        return parsed

    monkeypatch.setattr(BaseHTTPRequestHandler, "parse_request", spy)
    monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_API_KEY", "a2V5")
    monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_USER", "ignored where there is a key")
    with created(tmp_path, monkeypatch, node(_count=(200, {"count": 0}))) as engine:
        engine.count()
    assert seen == {"ApiKey a2V5"}


def test_tls_needs_a_certificate_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    certificate = self_signed(tmp_path)
    (tmp_path / "engine").mkdir()
    engine = Elasticsearch(tmp_path / "engine", IndexParams())
    with serving(node(_count=(200, {"count": 0})), certificate=certificate) as url:
        monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_URL", url)
        with pytest.raises(EngineError, match=r"not trusted .*CA_CERTS"):
            engine.create(SCHEMA)
        monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_CA_CERTS", str(certificate[0]))
        engine.create(SCHEMA)
        assert engine.count() == 0
        engine.close()


def test_an_older_release_gets_plain_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[bytes] = []
    usual = node("9.3.4")

    def handle(method: str, path: str, body: bytes) -> Answer:
        if "_search" not in path:
            return usual(method, path, body)
        bodies.append(body)
        return 200, {"hits": {"hits": []}}

    with created(tmp_path, monkeypatch, handle) as engine:
        assert len(engine.query(np.array([1, 2, 3], np.float32), 5).ids) == 0
    assert json.loads(bodies[0])["query"]["knn"]["query_vector"] == [1.0, 2.0, 3.0]
