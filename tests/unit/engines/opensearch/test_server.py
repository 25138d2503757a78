"""The OpenSearch adapter against a server that answers, refuses, fails, is busy, or is none."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("opensearchpy")

from engines.base import EngineError, Schema
from engines.opensearch.adapter import OpenSearch
from engines.opensearch.params import IndexParams, SearchParams
from tests.servers.fake_elasticsearch import Answer, Handle, node, serving

BARE = Schema(3, "l2")
Request = tuple[str, str, bytes]


@contextmanager
def created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handle: Handle, **index: Any
) -> Iterator[OpenSearch]:
    with serving(handle, product=None) as url:
        monkeypatch.setenv("BAKEOFF_OPENSEARCH_URL", url)
        engine = OpenSearch(tmp_path, IndexParams(**index))
        try:
            engine.create(BARE)
            yield engine
        finally:
            engine.close()


# Queries


def test_queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Request] = []
    usual = node("3.5.0", "opensearch")

    def handle(method: str, path: str, body: bytes) -> Answer:
        seen.append((method, path, body))
        return usual(method, path, body) if "_search" not in path else (200, {})

    with created(tmp_path, monkeypatch, handle, compression_level="4x") as engine:
        engine.configure(SearchParams(oversample_factor=2.5))
        query = np.array([1, 2, 3], np.float32)
        for k, exact in ((3, False), (9_000, False), (3, True)):
            assert len(engine.query(query, k, exact=exact).ids) == 0
        with pytest.raises(EngineError, match="4 dimensions"):
            engine.query(np.ones(4, np.float32), 1)
    bodies = [json.loads(body) for _, path, body in seen if "allow_partial_search_results=false" in path]
    assert [body["size"] for body in bodies] == [3, 9_000, 3]
    assert [body["query"]["knn"]["vector"]["k"] for body in bodies[:2]] == [8, 10_000]
    assert bodies[2]["query"]["script_score"]["script"]["source"] == "knn_score"


# Servers that cannot be used


def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handle: Handle) -> str:
    monkeypatch.setenv("BAKEOFF_OPENSEARCH_USER", "me")
    monkeypatch.setenv("BAKEOFF_OPENSEARCH_PASSWORD", "s3cret")
    with pytest.raises(EngineError) as caught, created(tmp_path, monkeypatch, handle):
        pass
    text = str(caught.value)
    assert "http://127.0.0.1:" in text
    assert "s3cret" not in text
    assert "\n" not in text
    return text


def test_servers_that_are_too_old_or_another_product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "is OpenSearch 2.16.0; version 2.17 or later" in refused(
        tmp_path, monkeypatch, node("2.16.0", "opensearch")
    )
    assert "is not OpenSearch" in refused(tmp_path, monkeypatch, node("9.5.3", None))
    for answer in ({"title": "another", "version": "1.2.3"}, []):
        assert "is not OpenSearch" in refused(tmp_path, monkeypatch, lambda *_, answer=answer: (200, answer))


@pytest.mark.parametrize("status", [401, 403])
def test_wrong_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    for content in (
        {"error": "Unauthorized"},
        {"error": {"type": "security_exception", "reason": "not s3cret"}},
    ):
        text = refused(tmp_path, monkeypatch, lambda *_, content=content: (status, content))
        assert f"HTTP {status}" in text
        assert "credentials were refused, check BAKEOFF_OPENSEARCH_USER" in text


def test_a_server_without_the_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"error": {"type": "illegal_argument_exception", "reason": "unknown setting [index.knn]"}}
    usual = node("3.5.0", "opensearch")
    text = refused(tmp_path, monkeypatch, lambda *call: (400, error) if call[0] == "PUT" else usual(*call))
    assert "unknown setting [index.knn]; the server lacks the k-NN plugin" in text


def test_copies_without_a_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    health = {"timed_out": True, "unassigned_shards": 2, "number_of_data_nodes": 1}
    usual = node("3.5.0", "opensearch")
    text = refused(
        tmp_path, monkeypatch, lambda *call: (408, health) if "health" in call[1] else usual(*call)
    )
    assert "2 shards found no node within 30 s; number_of_replicas needs" in text


def test_no_server_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    monkeypatch.setenv("BAKEOFF_OPENSEARCH_URL", f"http://me:s3cret@127.0.0.1:{port}")
    engine, begin = OpenSearch(tmp_path, IndexParams()), time.monotonic()
    for call in (lambda: engine.create(BARE), engine.drop):
        with pytest.raises(EngineError, match=rf"http://127.0.0.1:{port}: .*refused") as caught:
            call()
        assert "s3cret" not in str(caught.value)
    assert time.monotonic() - begin < 5
    monkeypatch.delenv("BAKEOFF_OPENSEARCH_URL")
    with pytest.raises(EngineError, match="set BAKEOFF_OPENSEARCH_URL"):
        engine.create(BARE)
