"""The OpenSearch adapter: filters, documents, answers, parameters."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

pytest.importorskip("opensearchpy")

from engines.base import Batch, EngineError, Field, Keywords, Schema, UnsupportedError
from engines.filters import And, Eq, Filter, In, Not, Or, Range
from engines.opensearch import wire
from engines.opensearch.filters import Queries
from engines.opensearch.params import IndexParams, SearchParams

SCHEMA = Schema(
    3,
    "l2",
    (Field("brand", "keyword"), Field("price", "integer"), Field("size", "float"), Field("new", "boolean")),
)
BARE = Schema(3, "l2")


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Eq("brand", "a"), {"term": {"f0": "a"}}),
        (In("price", (1, 2)), {"terms": {"f1": [1, 2]}}),
        (In("size", (-0.0, 1)), {"terms": {"f2": [0.0, 1.0]}}),
        (Range("price", gt=1.5), {"range": {"f1": {"gte": 2}}}),
        (Range("size", lte=-0.0), {"range": {"f2": {"lte": 0.0}}}),
        (And((Eq("new", True),)), {"bool": {"filter": [{"term": {"f3": True}}]}}),
        (Or((Eq("new", True),)), {"bool": {"should": [{"term": {"f3": True}}], "minimum_should_match": 1}}),
        (Not(Eq("price", 1)), {"bool": {"must_not": [{"term": {"f1": 1}}]}}),
        (In("price", ()), {"match_none": {}}),
        (And(()), {"match_all": {}}),
    ],
)
def test_filters(where: Filter, expected: dict[str, Any]) -> None:
    assert Queries(SCHEMA).translate(where) == expected
    assert "-0.0" not in json.dumps(Queries(SCHEMA).translate(where))


@pytest.mark.parametrize("inner", [In("price", (1, 2)), Not(Eq("new", True)), And((Eq("new", True),))])
def test_what_opensearch_negates_wrongly_is_hidden_from_its_rewriting(inner: Filter) -> None:
    queries = Queries(SCHEMA)
    hidden = {"constant_score": {"filter": queries.translate(inner)}}
    assert queries.translate(Not(inner)) == {"bool": {"must_not": [hidden]}}


def batch(word: str = "a", size: float = -0.0) -> Batch:
    columns = {
        "brand": Keywords.encode([word]),
        "price": np.array([2**63 - 1]),
        "size": np.array([size]),
        "new": np.array([True]),
    }
    return Batch(np.array([7]), np.array([[3, 0, 4]], dtype=np.float32), columns)


def test_documents() -> None:
    action, document = wire.upserts(batch('"\n'), SCHEMA)[0].splitlines()
    assert json.loads(action) == {"index": {"_id": "7"}}
    found = json.loads(document)
    assert found == {"id": 7, "f0": '"\n', "f1": 2**63 - 1, "f2": 0.0, "f3": True, "vector": [3, 0, 4]}
    cosine = wire.upserts(batch(), Schema(3, "cosine", SCHEMA.fields))[0].splitlines()[1]
    assert json.loads(cosine)["vector"] == pytest.approx([0.6, 0, 0.8])
    assert wire.deletions(np.array([7])) == [b'{"delete":{"_id":"7"}}\n']


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"word": "x" * 32_767}, "'brand' holds a text of 32767 characters"),
        ({"word": "ü" * 16_384}, "at most 32766 bytes of UTF-8"),
        ({"word": "\ud800"}, "no JSON can be made"),
        ({"size": float("inf")}, "'size' of id 7 is inf"),
        ({"size": float("nan")}, "'size' of id 7 is nan"),
    ],
)
def test_what_cannot_be_stored_is_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        wire.upserts(batch(**given), SCHEMA)
    assert wire.upserts(batch("x" * 32_766), SCHEMA)


def test_answers_are_read_and_others_refused() -> None:
    def answer(*scores: float) -> bytes:
        hits = [{"_score": score, "fields": {"id": [row]}} for row, score in enumerate(scores)]
        return json.dumps({"hits": {"hits": hits}}).encode()

    assert wire.decoder("l2")(answer(1.0, 0.5, 0.2)) == ([0, 1, 2], [0.0, 1.0, 4.0])
    assert wire.decoder("ip")(answer(3.0, 1.0, 0.25)) == ([0, 1, 2], [2.0, 0.0, -3.0])
    assert wire.decoder("cosine")(b"{}") == ([], [])
    for other in (b"[]", b'{"hits": {"hits": [{"_score": 1}]}}', b'{"hits": null}'):
        with pytest.raises(ValueError, match="no answer to a search"):
            wire.decoder("l2")(other)


def test_parameters() -> None:
    compressed = IndexParams(engine="faiss", mode="on_disk", compression_level="32x", m=8)
    vector = compressed.mappings(BARE)["properties"]["vector"]
    assert vector["method"]["parameters"] == {"m": 8, "ef_construction": 100}
    assert (vector["mode"], vector["compression_level"], vector["space_type"]) == ("on_disk", "32x", "l2")
    assert SearchParams().factor(compressed) == 3.0
    assert SearchParams(oversample_factor=0).options(compressed)["rescore"] is False
    assert SearchParams(oversample_factor=5).options(compressed)["rescore"] == {"oversample_factor": 1.0}
    assert SearchParams(ef_search=9).options(IndexParams()) == {"method_parameters": {"ef_search": 9}}
    with pytest.raises(EngineError, match="oversample_factor needs a compression_level"):
        SearchParams(oversample_factor=2).factor(IndexParams())
    with pytest.raises(ValidationError, match="must be 0 or between 1 and 100"):
        SearchParams(oversample_factor=0.5)


def test_text_that_is_too_long_is_named_unsupported() -> None:
    with pytest.raises(UnsupportedError):
        wire.upserts(batch("x" * 32_767), SCHEMA)
