"""What Elasticsearch and OpenSearch share: filters, documents, searches by words, answers."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from engines.base import Batch, EngineError, Field, Schema, UnsupportedError
from engines.columns import Keywords, Nullable, Tags
from engines.filters import And, Eq, Exists, Filter, In, Not, Or, Range
from engines.lucene.documents import comparable, decoder, deletions, matching, ranked, upserts, vector_json
from engines.lucene.filters import Queries

SCHEMA = Schema(
    3,
    "l2",
    (
        Field("brand", "keyword"),
        Field("price", "integer"),
        Field("size", "float"),
        Field("new", "boolean"),
        Field("colours", "tags"),
        Field("stock", "integer", optional=True),
    ),
)


@pytest.mark.parametrize(
    ("where", "query"),
    [
        (Eq("brand", 'a"\\\n\x00é'), {"term": {"f0": 'a"\\\n\x00é'}}),
        (In("brand", ("a", "b")), {"terms": {"f0": ["a", "b"]}}),
        (Eq("brand", "x" * 32_767), {"match_none": {}}),
        (In("price", (-(2**63), 2**63 - 1)), {"terms": {"f1": [-(2**63), 2**63 - 1]}}),
        (In("price", ()), {"match_none": {}}),
        (Eq("size", 3), {"term": {"f2": 3.0}}),
        (In("size", (-0.0, 1)), {"terms": {"f2": [0.0, 1.0]}}),
        (Eq("new", False), {"term": {"f3": False}}),
        (Range("price", gt=1, lt=2.5), {"range": {"f1": {"gte": 2, "lte": 2}}}),
        (Range("price", gte=-(2**63)), {"match_all": {}}),
        (Range("size", gt=0, lte=-0.0), {"range": {"f2": {"gt": 0.0, "lte": 0.0}}}),
        (
            And((Eq("new", True), Not(Eq("price", 1)))),
            {"bool": {"filter": [{"term": {"f3": True}}, {"bool": {"must_not": [{"term": {"f1": 1}}]}}]}},
        ),
        (Or((Eq("new", True),)), {"bool": {"should": [{"term": {"f3": True}}], "minimum_should_match": 1}}),
        (Or(()), {"match_none": {}}),
        (Eq("colours", "red"), {"term": {"f4": "red"}}),
        (In("colours", ("red", "x" * 32_767)), {"term": {"f4": "red"}}),
        (Not(Exists("colours")), {"bool": {"must_not": [{"exists": {"field": "f4"}}]}}),
        (Exists("stock"), {"exists": {"field": "f5"}}),
        (Exists("brand"), {"match_all": {}}),
        (And(()), {"match_all": {}}),
    ],
)
def test_filters(where: Filter, query: dict[str, Any]) -> None:
    assert Queries(SCHEMA).translate(where) == query
    assert "-0.0" not in json.dumps(Queries(SCHEMA).translate(where))


def batch(word: str = "a", size: float = -0.0, text: str = "") -> Batch:
    columns = {
        "brand": Keywords.encode([word]),
        "price": np.array([2**63 - 1]),
        "size": np.array([size]),
        "new": np.array([True]),
        "colours": Tags.encode([["red", "blue"]]),
        "stock": Nullable(np.zeros(1, np.int64), np.zeros(1, np.bool_)),
        "title": Keywords.encode([text]),
    }
    return Batch(np.array([7]), np.array([[3, 0, 4]], dtype=np.float32), columns)


def document(given: Batch, schema: Schema = SCHEMA) -> dict[str, Any]:
    (operation,) = upserts(given, schema, vector_json)
    assert operation.endswith(b"\n")
    action, content = operation.splitlines()
    assert json.loads(action) == {"index": {"_id": "7"}}
    found: dict[str, Any] = json.loads(content)
    return found


def test_documents() -> None:
    expected = {"id": 7, "f0": '"\n', "f1": 2**63 - 1, "f2": 0.0, "f3": True, "vector": [3, 0, 4]}
    expected |= {"f4": ["red", "blue"], "f5": None}
    assert document(batch('"\n')) == expected
    assert document(batch("x" * 32_766))["f0"] == "x" * 32_766
    texts = Schema(3, "l2", SCHEMA.fields, text="title")
    assert document(batch(text="Red WOOL-coat, été_501"), texts)["text"] == "red wool coat été 501"
    assert deletions(np.array([5, 2**62])) == [
        b'{"delete":{"_id":"5"}}\n',
        b'{"delete":{"_id":"4611686018427387904"}}\n',
    ]


def test_vectors_are_unit_under_cosine_only_and_zero_stays_zero() -> None:
    assert document(batch(), Schema(3, "cosine", SCHEMA.fields))["vector"] == pytest.approx([0.6, 0, 0.8])
    zero = np.zeros(2, np.float32)
    assert comparable(zero, "cosine").tolist() == [0, 0]
    assert comparable(zero, "ip") is zero


@pytest.mark.parametrize(
    ("given", "message", "kind"),
    [
        ({"word": "x" * 32_767}, "'brand' holds a text of 32767 characters", UnsupportedError),
        ({"word": "ü" * 16_384}, "at most 32766 bytes of UTF-8", UnsupportedError),
        ({"word": "\ud800"}, "no JSON can be made", EngineError),
        ({"size": float("inf")}, "'size' of id 7 is inf", UnsupportedError),
        ({"size": float("nan")}, "'size' of id 7 is nan", UnsupportedError),
    ],
)
def test_what_cannot_be_stored_is_refused(
    given: dict[str, Any], message: str, kind: type[EngineError]
) -> None:
    with pytest.raises(kind, match=message):
        upserts(batch(**given), SCHEMA, vector_json)


def test_a_search_by_words_is_a_match() -> None:
    where = {"term": {"f0": "a"}}
    body = json.loads(matching('Red "red" coat -x', 5, where))
    assert body["query"] == {"bool": {"must": [{"match": {"text": "red coat x"}}], "filter": [where]}}
    assert (body["size"], body["_source"], body["stored_fields"]) == (5, False, "_none_")
    assert json.loads(matching("?!", 5, None))["query"]["bool"] == {
        "must": [{"match_none": {}}],
        "filter": [],
    }


def answer(*scores: float) -> bytes:
    hits = [{"_score": score, "fields": {"id": [row]}} for row, score in enumerate(scores)]
    return json.dumps({"hits": {"hits": hits}}).encode()


@pytest.mark.parametrize(
    ("metric", "scores", "expected"),
    [
        ("l2", [1.0, 0.5, 0.2], [0, 1, 4]),
        ("l2", [0.0], [np.inf]),
        ("ip", [3.5, 1.0, 0.5, 0.25], [2.5, 0, -1, -3]),
        ("ip", [0.0], [-np.inf]),
        ("cosine", [2.0, 1.0, 0.5], [1, 0, -1]),
    ],
)
def test_scores_are_turned_back(metric: Any, scores: list[float], expected: list[float]) -> None:
    ids, found = decoder(metric)(answer(*scores))
    assert ids == list(range(len(scores)))
    np.testing.assert_allclose(found, expected)
    assert ranked(answer(*scores)) == (ids, scores)


def test_what_filter_path_leaves_of_no_hits_is_none() -> None:
    assert ranked(b"{}") == ([], [])


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b"<html>",
        b'{"hits": null}',
        b'{"took": 1}',
        b'{"hits": {"hits": [{"_score": 1}]}}',
        b'{"hits": {"hits": [{"_score": 1.0, "fields": {"id": []}}]}}',
    ],
)
def test_what_is_no_answer_is_an_error(raw: bytes) -> None:
    with pytest.raises(ValueError):  # of orjson or ours
        decoder("l2")(raw)
