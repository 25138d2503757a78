"""Whose an index is, one that is gone, and shards that fail: in Elasticsearch and in OpenSearch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engines.base import EngineError
from engines.server.names import collection_name
from engines.values.contents import contents
from tests.servers.fake_elasticsearch import Answer
from tests.unit.engines.lucene.products import SCHEMA, Product


def test_shards_that_fail_are_an_error(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shards = {"_shards": {"total": 2, "successful": 1, "failed": 1, "failures": [{"reason": "gone"}]}}
    with product.adapted(tmp_path, monkeypatch, product.node(_refresh=(200, shards))) as engine:
        engine.create(SCHEMA)
        with pytest.raises(EngineError, match=r"1 of 2 shards failed: .*gone"):
            engine.refresh()


def test_an_index_that_is_gone_or_of_another_run_is_refused(
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, index = product.node(), collection_name(tmp_path)
    error = {"type": "index_not_found_exception", "reason": "gone"}
    found: list[Answer] = [(404, {"error": error, "status": 404})]

    def handle(method: str, path: str, body: bytes) -> Answer:
        return found[-1] if method == "HEAD" or path.endswith("_mapping") else usual(method, path, body)

    with product.adapted(tmp_path, monkeypatch, handle) as engine:
        engine.create(SCHEMA)
        engine.close()
        with pytest.raises(EngineError, match=r"no index .* any more"):
            engine.open(SCHEMA)
        theirs = contents(replace(SCHEMA, model="tower@2#0123456789ab"), engine._params)
        found.append((200, {index: {"mappings": {"_meta": {"bakeoff": theirs}}}}))
        with pytest.raises(
            EngineError, match=rf"{index} holds .* tower@2#0123456789ab, not of a model that is not"
        ):
            engine.open(SCHEMA)
        found.append((200, {index: {"mappings": {"_meta": {"bakeoff": "something else"}}}}))
        with pytest.raises(EngineError, match=f"{index} does not say which model"):
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
    product: Product, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: dict[str, Any], complaint: str
) -> None:
    asked = []
    index = collection_name(tmp_path)
    mapping = {index if name == "NAME" else name: entry for name, entry in found.items()}
    usual = product.node(_mapping=(200, mapping))

    def handle(method: str, path: str, body: bytes) -> Answer:
        asked.append((method, path))
        return usual(method, path, body)

    with product.adapted(tmp_path, monkeypatch, handle) as engine:
        for call in (lambda: engine.create(SCHEMA), engine.drop):
            with pytest.raises(EngineError, match=f"{complaint}, and was not made by this harness"):
                call()
    assert not [path for method, path in asked if method in ("DELETE", "PUT")]
