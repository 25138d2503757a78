"""Ranking by words, for the engines that declare it: BM25 by its formula is the reference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from engines.abilities import FullText
from engines.base import Batch, Field, Hits, Schema, UnsupportedError
from engines.columns import Keywords
from engines.filters import Eq, Filter, Range, matches
from engines.values.words import words
from tests.conformance.bm25 import bm25
from tests.conformance.subjects import Subject

SCHEMA = Schema(2, "l2", (Field("price", "integer"), Field("brand", "keyword")), text="title")
ROWS, K = 300, 10
VOCABULARY = [f"w{chr(97 + i // 26)}{chr(97 + i % 26)}" for i in range(60)] + [
    "Größe",
    "été",
    "501",
    "裙子",
    "qx",
]
pytestmark = [pytest.mark.once_per_engine, pytest.mark.ability("text")]


def batch(ids: Any, titles: list[str], prices: list[int] | None = None) -> Batch:
    given = np.asarray(ids, dtype=np.int64)
    columns = {
        "price": np.array(prices or [0] * len(titles)),
        "brand": Keywords.encode(["Zara"] * len(titles)),
        "title": Keywords.encode(titles),
    }
    return Batch(given, np.zeros((len(given), 2), np.float32) + given[:, None], columns)


def made(subject: Subject, schema: Schema = SCHEMA) -> Any:
    engine = subject.created(schema)
    assert isinstance(engine, FullText)
    return engine


@pytest.fixture(scope="module")
def titles() -> list[str]:
    rng = np.random.default_rng(3)
    chances = 1 / np.arange(1, len(VOCABULARY) + 1)
    return [
        " ".join(rng.choice(VOCABULARY, rng.integers(1, 12), p=chances / chances.sum())) for _ in range(ROWS)
    ]


@pytest.fixture(scope="module")
def engine(shared_subject: Subject, titles: list[str]) -> Iterator[Any]:
    engine = made(shared_subject)
    engine.index(batch(range(ROWS), titles, [row % 100 for row in range(ROWS)]))
    engine.refresh()
    yield engine
    engine.close()


@pytest.mark.parametrize("where", [None, Range("price", lt=30), Eq("brand", "Zara"), Eq("brand", "H&M")])
def test_ranking_is_that_of_bm25(engine: Any, titles: list[str], where: Filter | None) -> None:
    documents = [words(title) for title in titles]
    prices = np.arange(ROWS) % 100
    allowed = matches(where, {"price": prices, "brand": Keywords.encode(["Zara"] * ROWS)}, ROWS)
    rng, ratios = np.random.default_rng(4), []
    for _ in range(25):
        asked = " ".join(rng.choice(VOCABULARY, rng.integers(1, 5)))
        truth = np.where(allowed, bm25(words(asked), documents), 0)
        hits: Hits = engine.match(asked, K, where)
        found = truth[list(hits.ids)]
        best = np.sort(truth[truth > 0])[::-1][:K]
        assert len(set(hits.ids)) == len(found)
        np.testing.assert_allclose(
            found, best, rtol=1e-4
        )  # as good, item by item; items that tie may change places
        ratios += (np.asarray(hits.scores) / found).tolist()
    if ratios:
        np.testing.assert_allclose(ratios, ratios[0], rtol=1e-4)
    else:
        assert not allowed.any()


def test_words_and_nothing_else_is_searched_for(subject: Subject) -> None:
    titles = [
        "Red wool-coat, size M",
        'A "quoted" title: f0 AND title',
        "",
        "...",
        "Été",
        "ete",
        "STRASSE 42",
        "strasse42",
        "裙子 red_dress",
    ]
    engine = made(subject)
    engine.index(batch(range(len(titles)), titles))
    engine.refresh()

    def found(text: str) -> set[int]:
        return set(engine.match(text, 20).ids)

    assert found("RED") == {0, 8}
    assert found("coat!") == {0}
    assert found("wool-dress") == {0, 8}  # one of the words is enough
    assert found('"quoted title"') == {1}
    assert found("-wool +title") == {0, 1}
    assert found("f0:Zara AND NOT x") == {1}
    assert found("woo* ro?l wool~2 /w.*/") == {0}
    assert found("été") == {4}
    assert found("ete") == {5}
    assert found("Straße") == {6}
    assert found("42") == {6}
    assert found("strasse42") == {7}
    assert found("裙子") == {8}
    assert found("\\ \"' ) ( * : %") == set()
    assert found("") == set()
    assert found("nothing like it") == set()
    engine.close()


def test_written_again_and_deleted(subject: Subject) -> None:
    engine = made(subject)
    engine.index(batch([1, 2, 3], ["red coat", "red dress", "blue coat"]))
    engine.refresh()
    assert set(engine.match("coat", 5).ids) == {1, 3}
    engine.index(batch([1, 4], ["green hat", "coat"]))
    engine.delete(np.array([3]))
    engine.refresh()
    assert set(engine.match("coat red", 5).ids) == {2, 4}
    assert list(engine.match("hat", 5).ids) == [1]
    assert [int(id_) for id_ in engine.query(np.zeros(2, np.float32), 1).ids] == [1]
    engine.close()
    again = subject.engine()
    again.open(SCHEMA)
    assert list(again.match("hat", 5).ids) == [1]  # type: ignore[attr-defined]
    again.close()


def test_a_collection_without_text_says_so(subject: Subject) -> None:
    engine = made(subject, Schema(2, "l2"))
    with pytest.raises(UnsupportedError, match="the collection has no text"):
        engine.match("coat", 5)
    engine.close()
