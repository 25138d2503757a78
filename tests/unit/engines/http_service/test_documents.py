"""What is sent to the service, and what is made of its answers."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from engines.base import Batch, EngineError, Field, Schema
from engines.columns import Keywords, Nullable, Tags, decoded
from engines.filters import And, Eq, Exists, In, Not, Or, Range
from engines.http_service.documents import batch_of, check_written, hits, puts, question
from engines.http_service.filters import Conditions, read_word, stored_word
from engines.http_service.params import IndexParams

SCHEMA = Schema(2, "l2", (Field("and", "keyword"), Field("größe", "float"), Field("stock", "integer")))


@given(st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\0\1\2")))
def test_words_come_back_and_hold_no_nul(word: str) -> None:
    assert read_word(stored_word(word)) == word
    assert "\0" not in stored_word(word)


@given(*[st.text(st.sampled_from("\0\1\2a"), max_size=5)] * 2)
def test_different_words_stay_different(one: str, other: str) -> None:
    assert (stored_word(one) == stored_word(other)) == (one == other)


def test_filters_name_fields_by_their_aliases() -> None:
    where = And(
        (Or((Eq("and", "a\0"), In("stock", (1, 2)))), Not(Range("größe", gt=0.5)), Range("stock", lt=3))
    )
    assert Conditions(SCHEMA).translate(where) == {
        "and": [
            {"or": [{"f0": "a\1\2"}, {"f2": [1, 2]}]},
            {"not": {"f1": {"gt": 0.5}}},
            {"f2": {"lte": 2}},
        ]
    }
    assert Conditions(SCHEMA).translate(Or(())) == {"not": {"and": []}}


def test_tags_and_missing_values_go_there_and_come_back() -> None:
    schema = Schema(
        2, "l2", (Field("where", "tags"), Field("size", "keyword", True), Field("n", "float", True))
    )
    columns = {
        "where": Tags.encode([["a\0", "b"], []]),
        "size": Keywords.encode([None, "\1"]),
        "n": Nullable(np.array([0.5, 0]), np.array([True, False])),
    }
    (body,) = puts(Batch(np.arange(2), np.ones((2, 2), np.float32), columns), schema)
    one, other = json.loads(body)
    assert (one["f0"], one["f1"], one["f2"]) == (["a\1\2", "b"], None, 0.5)
    assert (other["f0"], other["f1"], other["f2"]) == ([], "\1\1", None)
    read = [
        {"id": line["id"], "vector": line["vector"], "attributes": {f: line[f] for f in ("f0", "f1", "f2")}}
        for line in (one, other)
    ]
    found = batch_of([json.dumps(line).encode() for line in read], schema)
    assert {name: decoded(column) for name, column in found.attributes.items()} == {
        name: decoded(column) for name, column in columns.items()
    }
    where = And((Exists("size"), Not(Exists("where")), In("where", ("a\0", "b"))))
    assert Conditions(schema).translate(where) == {
        "and": [{"f1": {"exists": True}}, {"not": {"f0": {"exists": True}}}, {"f0": ["a\1\2", "b"]}]
    }


def test_a_question_asks_for_neither_more_nor_less() -> None:
    vector = np.array([0.1, 2], np.float32)
    asked = json.loads(question(vector, 5, None, exact=False))
    assert np.array(asked.pop("vector"), np.float32).tolist() == vector.tolist()
    assert asked == {"k": 5, "short": "short"}
    assert json.loads(question(vector, 5, {"f0": "a"}, exact=True))["mode"] == "exact"


def test_batches_are_cut_and_hold_every_row() -> None:
    ids = np.arange(2500)
    words, sizes = Keywords.encode([f"w{id_ % 3}" for id_ in ids]), ids / 2
    batch = Batch(ids, np.ones((2500, 2), np.float32), {"and": words, "größe": sizes, "stock": ids})
    bodies = [json.loads(body) for body in puts(batch, SCHEMA)]
    assert [len(body) for body in bodies] == [1000, 1000, 500]
    assert bodies[2][499] == {"id": "2499", "vector": [1.0, 1.0], "f0": "w0", "f1": 1249.5, "f2": 2499}


def answer(**members: object) -> bytes:
    return json.dumps({"hits": [{"id": "7", "score": -2.5, "version": 1}], **members}).encode()


def test_scores_are_as_the_protocol_has_them() -> None:
    assert hits(answer(), "l2") == ([7], [2.5])
    assert hits(answer(), "cosine") == ([7], [-2.5])


@pytest.mark.parametrize(
    ("members", "told"),
    [({"fallback": "late"}, "popular listings .*late"), ({"short": "deadline"}, "no time")],
)
def test_what_is_not_the_engines_whole_answer_is_an_error(members: dict[str, str], told: str) -> None:
    with pytest.raises(EngineError, match=told):
        hits(answer(**members), "l2")
    assert len(hits(answer(short="matches"), "l2").ids) == 1


def test_a_line_that_failed_is_an_error_unless_it_is_an_absent_one() -> None:
    lines = [
        {"line": 1, "id": "3", "version": 1},
        {"line": 2, "id": "4", "problem": {"type": "/docs#not-found"}},
    ]
    raw = json.dumps({"lines": 2, "failed": 1, "results": lines, "searchable": True}).encode()
    assert check_written(raw, absent_is_fine=True)
    with pytest.raises(EngineError, match="1 of 2 writes failed, first id 4"):
        check_written(raw)
    other = raw.replace(b"not-found", b"invalid")
    with pytest.raises(EngineError, match="1 of 2 writes failed, first id 4"):
        check_written(other, absent_is_fine=True)


@pytest.mark.parametrize(
    ("given_", "told"),
    [
        ({"engine": "fais"}, "engine: unknown engine 'fais'"),
        ({"engine": "http-service"}, "a service behind a service"),
        ({"engine": "faiss", "index": {"kind": "hnws"}, "search": {"ef": 3}}, "index.kind: .*; search.ef: "),
    ],
)
def test_parameters_of_the_engine_behind_are_checked(given_: dict[str, object], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        IndexParams.model_validate(given_)
    assert IndexParams(engine="faiss", index={"kind": "hnsw"}, search={"efSearch": 3}).behind.quantization
