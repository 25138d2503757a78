"""Writes in bulk to Elasticsearch and OpenSearch: shared out, sent again while the server is busy, or failed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Batch, EngineError
from engines.lucene import bulk
from tests.servers.fake_elasticsearch import Answer
from tests.unit.engines.lucene.products import SCHEMA, Product

THREE_ROWS = Batch(np.arange(3), np.ones((3, 3), dtype=np.float32))


def written(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answers: list[Answer]
) -> tuple[int, list[list[str]]]:
    """Writes three rows to a server that gives these answers; returns retries and the ids that were sent."""
    monkeypatch.setattr(bulk, "_FIRST_PAUSE_S", 1e-4)
    sent: list[list[str]] = []
    total = {"store": {"size_in_bytes": 5}, "segments": {"count": 1}}
    sizes = {"_shards": {"failed": 0}, "_all": {"total": total}}
    usual = product.node(_count=(200, {"count": 3}), **{"store,segments": (200, sizes)})

    def handle(method: str, path: str, body: bytes) -> Answer:
        if "_bulk" not in path:
            return usual(method, path, body)
        sent.append([json.loads(line)["index"]["_id"] for line in body.splitlines()[::2]])
        return answers[min(len(sent), len(answers)) - 1]

    with product.adapted(tmp_path, monkeypatch, handle) as engine:
        engine.create(SCHEMA)
        engine.index(THREE_ROWS)
        stats = engine.stats()
        assert (stats.vectors, stats.disk_bytes) == (3, 5)
        assert str(stats.server).lower() == f"{product.name} {product.version}"
        return stats.retries, sent


def items(*statuses: int) -> Answer:
    def item(row: int, status: int) -> dict[str, Any]:
        reason = {"type": "busy", "reason": "no room", "caused_by": {"type": "deep", "reason": "why"}}
        return {"index": {"_id": str(row), "status": status} | ({"error": reason} if status > 299 else {})}

    entries = [item(row, status) for row, status in enumerate(statuses)]
    return 200, {"errors": any(status > 299 for status in statuses), "items": entries}


def test_items_that_the_server_was_too_busy_for_are_sent_again(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [items(201, 429, 429), items(429, 201), items(201)]
    assert written(product, tmp_path, monkeypatch, answers) == (2, [["0", "1", "2"], ["1", "2"], ["1"]])


def test_a_request_that_the_server_was_too_busy_for_is_sent_again(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [(429, {"error": "too many"}), items(201, 201, 201)]
    assert written(product, tmp_path, monkeypatch, answers) == (1, [["0", "1", "2"]] * 2)


def test_a_server_that_stays_busy_is_an_error(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        EngineError, match=r"too busy for 2 writes 9 times \(busy: no room .*\); lower thread_count"
    ):
        written(product, tmp_path, monkeypatch, [items(201, 429, 429), items(429, 429)])


def test_any_item_that_fails_is_an_error(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(
        EngineError, match=r"1 of 3 writes failed, first id 2: HTTP 400: busy: no room \(deep: why\)"
    ):
        written(product, tmp_path, monkeypatch, [items(201, 429, 400)])


def test_a_batch_is_shared_among_the_threads(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[slice] = []
    monkeypatch.setattr(bulk.Bulk, "_send", lambda self, operations, rows: sent.append(rows))
    sizes = {}
    with product.adapted(tmp_path, monkeypatch, product.node()) as engine:
        engine.create(SCHEMA)
        for rows in (0, 60, 800, 2000):
            engine._bulk.write(rows, 300, lambda part: [])
            sizes[rows] = sorted(part.stop - part.start for part in sent)
            sent.clear()
    assert sizes == {0: [], 60: [50, 50], 800: [200] * 4, 2000: [300] * 7}
