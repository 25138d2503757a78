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

from engines.base import Batch, EngineError, Schema
from engines.lucene import bulk
from engines.opensearch.adapter import OpenSearch
from engines.opensearch.params import IndexParams, SearchParams
from engines.server.names import collection_name
from tests.servers.fake_elasticsearch import Answer, Handle, serving

BARE = Schema(3, "l2")
Request = tuple[str, str, bytes]


def node(version: str = "3.5.0", distribution: str | None = "opensearch", **more: Answer) -> Handle:
    """Answers the requests of create(), and those whose path's last part is in `more`."""

    def handle(method: str, path: str, body: bytes) -> Answer:
        last = path.partition("?")[0].rpartition("/")[2]
        if last in more:
            return more[last]
        if path == "/":
            return 200, {"version": {"number": version, "distribution": distribution}}
        if "_cluster/health" in path:
            return 200, {"timed_out": False}
        return 200, {"acknowledged": True}

    return handle


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


def rows(count: int) -> Batch:
    return Batch(np.arange(count), np.ones((count, 3), dtype=np.float32))


# Queries


def test_queries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Request] = []
    usual = node()

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


# Bulk requests


def written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[Answer]
) -> tuple[int, list[list[str]]]:
    """Writes three rows to a server that gives these answers; returns retries and the ids that were sent."""
    monkeypatch.setattr(bulk, "_FIRST_PAUSE_S", 1e-4)
    sent: list[list[str]] = []
    total = {"store": {"size_in_bytes": 5}, "segments": {"count": 1}}
    usual = node(
        _count=(200, {"count": 3}),
        **{"store,segments": (200, {"_shards": {"failed": 0}, "_all": {"total": total}})},
    )

    def handle(method: str, path: str, body: bytes) -> Answer:
        if "_bulk" not in path:
            return usual(method, path, body)
        sent.append([json.loads(line)["index"]["_id"] for line in body.splitlines()[::2]])
        return answers[min(len(sent), len(answers)) - 1]

    with created(tmp_path, monkeypatch, handle) as engine:
        engine.index(rows(3))
        stats = engine.stats()
        assert (stats.vectors, stats.disk_bytes, stats.server) == (3, 5, "OpenSearch 3.5.0")
        return stats.retries, sent


def items(*statuses: int) -> Answer:
    def item(row: int, status: int) -> dict[str, Any]:
        reason = {"type": "busy", "reason": "no room", "caused_by": {"type": "deep", "reason": "why"}}
        return {"index": {"_id": str(row), "status": status} | ({"error": reason} if status > 299 else {})}

    entries = [item(row, status) for row, status in enumerate(statuses)]
    return 200, {"errors": any(status > 299 for status in statuses), "items": entries}


def test_what_the_server_was_too_busy_for_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [(429, {"error": "too many"}), items(201, 429, 429), items(429, 201), items(201)]
    assert written(tmp_path, monkeypatch, answers) == (3, [["0", "1", "2"]] * 2 + [["1", "2"], ["1"]])


def test_a_server_that_stays_busy_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        EngineError, match=r"too busy for 2 writes 9 times \(busy: no room .*\); lower thread_count"
    ):
        written(tmp_path, monkeypatch, [items(201, 429, 429), items(429, 429)])


def test_any_item_that_fails_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        EngineError, match=r"1 of 3 writes failed, first id 2: HTTP 400: busy: no room \(deep: why\)"
    ):
        written(tmp_path, monkeypatch, [items(201, 429, 400)])


def test_a_batch_is_shared_among_the_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[slice] = []
    monkeypatch.setattr(bulk.Bulk, "_send", lambda self, operations, rows: sent.append(rows))
    sizes = {}
    with created(tmp_path, monkeypatch, node()) as engine:
        for rows in (0, 60, 800, 2000):
            engine._bulk.write(rows, 300, lambda part: [])
            sizes[rows] = sorted(part.stop - part.start for part in sent)
            sent.clear()
    assert sizes == {0: [], 60: [50, 50], 800: [200] * 4, 2000: [300] * 7}


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
    assert "is OpenSearch 2.16.0; version 2.17 or later" in refused(tmp_path, monkeypatch, node("2.16.0"))
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
    usual = node()
    text = refused(tmp_path, monkeypatch, lambda *call: (400, error) if call[0] == "PUT" else usual(*call))
    assert "unknown setting [index.knn]; the server lacks the k-NN plugin" in text


def test_copies_without_a_node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    health = {"timed_out": True, "unassigned_shards": 2, "number_of_data_nodes": 1}
    usual = node()
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
    usual, index = node(), OpenSearch(tmp_path, IndexParams())._index
    state: list[Answer] = [
        (404, {"error": {"type": "index_not_found_exception", "reason": "gone"}, "status": 404})
    ]

    def handle(method: str, path: str, body: bytes) -> Answer:
        return state[-1] if path.endswith("_mapping") else usual(method, path, body)

    with created(tmp_path, monkeypatch, handle) as engine:
        engine.close()
        with pytest.raises(EngineError, match=r"no index .* any more"):
            engine.open(BARE)
        state.append((200, {index: {"mappings": {"_meta": {"bakeoff": "something else"}}}}))
        with pytest.raises(EngineError, match="of another schema"):
            engine.open(BARE)


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

    with serving(handle, product=None) as url:
        monkeypatch.setenv("BAKEOFF_OPENSEARCH_URL", url)
        engine = OpenSearch(tmp_path, IndexParams())
        for call in (lambda: engine.create(BARE), engine.drop):
            with pytest.raises(EngineError, match=f"{complaint}, and was not made by this harness"):
                call()
        engine.close()
    assert not [path for method, path in asked if method in ("DELETE", "PUT")]
