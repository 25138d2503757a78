"""Listings ranked by words, beside BM25 written down a second time."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.filters import Eq, Range
from engines.values.words import words
from service.catalogue.listing import Listing
from service.memory.following import InStep
from service.memory.stock import Stock
from service.memory.words import WordIndex
from tests.unit.service.memory.truth import SCHEMA, Truth, listings, matching


def titled(*titles: str) -> list[Listing]:
    made = listings(len(titles))
    return [replace(one, details={"title": title}) for one, title in zip(made, titles, strict=True)]


def indexed(stored: list[Listing]) -> tuple[WordIndex, Truth, InStep]:
    truth, stock = Truth(stored), Stock(SCHEMA)
    index = WordIndex(SCHEMA, stock)
    in_step = InStep(truth, [stock, index])  # type: ignore[arg-type]
    in_step.catch_up()
    return index, truth, in_step


def bm25(stored: list[Listing], text: str) -> dict[int, float]:
    """Robertson's formula as FTS5 documents it: k1 = 1.2, b = 0.75, and no word counts less than 0.000001."""
    held = {one.number: Counter(words(one.details["title"])) for one in stored}
    mean = sum(sum(counts.values()) for counts in held.values()) / max(1, len(held))
    scores: dict[int, float] = {}
    for word in set(words(text)):
        having = sum(1 for counts in held.values() if word in counts)
        weight = max(math.log((len(held) - having + 0.5) / (having + 0.5)), 1e-6)
        for number, counts in held.items():
            if word in counts:
                length = 1.2 * (1 - 0.75 + 0.75 * sum(counts.values()) / mean)
                scores[number] = scores.get(number, 0) + weight * counts[word] * 2.2 / (counts[word] + length)
    return scores


def test_scores_are_those_of_bm25() -> None:
    stored = titled(
        "red wool coat", "red red shoe", "blue shoe", "a coat of many colours", "green", "hat", "wool"
    )
    index, _, _ = indexed(stored)
    for text in ("red", "red coat", "wool, WOOL shoe!", "nothing of the kind"):
        hits = index.match(text, 10)
        wanted = bm25(stored, text)
        assert dict(zip(hits.ids, hits.scores, strict=True)) == pytest.approx(wanted)
        assert list(hits.scores) == sorted(hits.scores, reverse=True)


def test_a_filter_misses_no_match_however_far_down() -> None:
    stored = listings(400)
    index, truth, _ = indexed(stored)
    where = Range("price", lt=5)
    hits = index.match("red wool", 10, where)
    scores = bm25(stored, "red wool")
    allowed = [
        one.number
        for one, match in zip(stored, matching(stored, where), strict=True)
        if match and one.number in scores
    ]
    assert 0 < len(allowed) < 40
    assert len(hits.ids) == min(10, len(allowed))
    assert hits.scores == pytest.approx(sorted((scores[number] for number in allowed), reverse=True)[:10])
    assert {truth.there[number].number for number in hits.ids} <= set(allowed)
    assert index.match("red", 10, Eq("brand", "none")).ids == []


def test_a_search_that_nobody_waits_for_is_given_up() -> None:
    index, _, _ = indexed(titled(*["red"] * 5000))
    assert len(index.match("red", 10).ids) == 10
    with pytest.raises(TimeoutError):
        index.match("red", 10, stopped=lambda: True)
    assert len(index.match("red", 10).ids) == 10


def test_it_follows_changes_and_removals() -> None:
    index, truth, in_step = indexed(titled("red coat", "red shoe", "blue hat"))
    truth.put([replace(truth.there[0], version=2, details={"title": "green coat"})])
    truth.remove([1])
    in_step.catch_up()
    assert index.match("red", 5).ids == []
    assert index.match("coat", 5).ids == [0]
    index.close()


def test_letters_of_every_script_are_letters_and_case_does_not_count() -> None:
    index, _, _ = indexed(titled("Größe 38", "ΣΊΣΥΦΟΣ", "中文 外套", "x" * 300, "٣٤"))
    assert index.match("GRÖSSE", 5).ids == [0]
    assert index.match("σίσυφος", 5).ids == [1]
    assert index.match("外套", 5).ids == [2]
    assert index.match("x" * 200, 5).ids == [3]
    assert index.match("٣٤", 5).ids == [4]


@settings(max_examples=100, deadline=None)
@given(
    text=st.text(max_size=40)
    | st.sampled_from(['" OR 1', "a AND b NOT c", "NEAR(a b)", "words:red", "red*", "'; drop"])
)
def test_whatever_is_asked_is_words_and_no_query_language(text: str) -> None:
    index, _, _ = indexed(titled(text, "red coat", "and or not near"))
    found = index.match(text, 10).ids
    assert (0 in found) == bool(words(text))
    index.close()
