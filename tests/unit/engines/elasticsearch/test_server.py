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

from engines.base import Batch, EngineError, Field, Schema
from engines.elasticsearch.adapter import Elasticsearch
from engines.elasticsearch.params import IndexParams
from engines.lucene import bulk
from engines.server.names import collection_name
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


def rows(count: int) -> Batch:
    return Batch(np.arange(count), np.ones((count, 3), dtype=np.float32), {"price": np.arange(count)})


# Bulk requests


def bulk_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[Answer]
) -> tuple[int, list[bytes]]:
    """Writes three rows to a server that gives these answers; returns retries and the bodies that were sent."""
    monkeypatch.setattr(bulk, "_FIRST_PAUSE_S", 1e-4)
    sent: list[bytes] = []
    stats = {"_all": {"total": {"store": {"size_in_bytes": 5}, "segments": {"count": 1}}}}
    usual = node(_count=(200, {"count": 3}), **{"store,segments": (200, stats)})

    def handle(method: str, path: str, body: bytes) -> Answer:
        if "_bulk" not in path:
            return usual(method, path, body)
        sent.append(body)
        return answers[min(len(sent), len(answers)) - 1]

    with created(tmp_path, monkeypatch, handle) as engine:
        engine.index(rows(3))
        stats_now = engine.stats()
        assert (stats_now.vectors, stats_now.disk_bytes) == (3, 5)
        assert stats_now.server == "Elasticsearch 9.5.3"
        return stats_now.retries, sent


def items(*statuses: int) -> Answer:
    def item(row: int, status: int) -> dict[str, Any]:
        reason = {"type": "busy", "reason": "no room", "caused_by": {"type": "deep", "reason": "why"}}
        return {"index": {"_id": str(row), "status": status} | ({"error": reason} if status > 299 else {})}

    entries = [item(row, status) for row, status in enumerate(statuses)]
    return 200, {"errors": any(status > 299 for status in statuses), "items": entries}


def test_items_that_the_server_was_too_busy_for_are_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    retries, sent = bulk_answers(tmp_path, monkeypatch, [items(201, 429, 429), items(429, 201), items(201)])
    ids = [[json.loads(line)["index"]["_id"] for line in body.splitlines()[::2]] for body in sent]
    assert ids == [["0", "1", "2"], ["1", "2"], ["1"]]
    assert retries == 2


def test_a_request_that_the_server_was_too_busy_for_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    retries, sent = bulk_answers(tmp_path, monkeypatch, [(429, {"error": "too many"}), items(201, 201, 201)])
    assert (retries, len(sent)) == (1, 2)
    assert sent[0] == sent[1]


def test_a_server_that_stays_busy_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        EngineError, match=r"too busy for 2 writes 9 times \(busy: no room.*lower thread_count"
    ):
        bulk_answers(tmp_path, monkeypatch, [items(201, 429, 429), items(429, 429)])


def test_any_item_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        EngineError, match=r"1 of 3 writes failed, first id 2: HTTP 400: busy: no room \(deep: why\)"
    ):
        bulk_answers(tmp_path, monkeypatch, [items(201, 429, 400)])


# Servers that cannot be used


def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, handle: Handle, **serve: Any) -> str:
    with serving(handle, **serve) as url:
        monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_URL", url)
        monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_USER", "me")
        monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_PASSWORD", "s3cret")
        for begin in ("create", "open"):
            engine = Elasticsearch(tmp_path, IndexParams())
            if begin == "open":
                (tmp_path / "collection.txt").write_text(f"{SCHEMA!r} {IndexParams()!r}")
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


def test_shards_that_fail_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shards = {"_shards": {"total": 2, "successful": 1, "failed": 1, "failures": [{"reason": "gone"}]}}
    with (
        created(tmp_path, monkeypatch, node(_refresh=(200, shards))) as engine,
        pytest.raises(EngineError, match=r"1 of 2 shards failed: .*gone"),
    ):
        engine.refresh()


def test_an_index_that_is_gone_or_of_another_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, index = node(), Elasticsearch(tmp_path, IndexParams())._index
    state: dict[str, Answer] = {}

    def handle(method: str, path: str, body: bytes) -> Answer:
        if method == "HEAD":
            return state["exists"]
        if path.endswith("_mapping"):
            return 200, {index: {"mappings": {"_meta": {"bakeoff": "something else"}}}}
        return usual(method, path, body)

    with created(tmp_path, monkeypatch, handle) as engine:
        engine.close()
        state["exists"] = (404, {})
        with pytest.raises(EngineError, match=r"no index .* any more"):
            engine.open(SCHEMA)
        state["exists"] = (200, {})
        with pytest.raises(EngineError, match="of another schema"):
            engine.open(SCHEMA)


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        ({"shop_v3": {"mappings": {"_meta": {"bakeoff": "x"}}}}, "an alias of shop_v3"),
        ({"NAME": {"mappings": {}}}, "an index"),
        ({"NAME": {"mappings": {"_meta": {"owner": "shop"}}}}, "an index"),
    ],
)
def test_a_foreign_index_is_never_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], complaint: str
) -> None:
    asked = []
    index = collection_name(tmp_path)
    mapping = {index if name == "NAME" else name: entry for name, entry in found.items()}
    usual = node(_mapping=(200, mapping))

    def handle(method: str, path: str, body: bytes) -> Answer:
        asked.append((method, path))
        return usual(method, path, body)

    with serving(handle) as url:
        monkeypatch.setenv("BAKEOFF_ELASTICSEARCH_URL", url)
        engine = Elasticsearch(tmp_path, IndexParams())
        for call in (lambda: engine.create(Schema(2, "l2")), engine.drop):
            with pytest.raises(EngineError, match=f"{complaint}, and was not made by this harness"):
                call()
        engine.close()
    assert not [path for method, path in asked if method in ("DELETE", "PUT")]
