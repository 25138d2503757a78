"""Words: what every engine that ranks by them is given and asked."""

from __future__ import annotations

import re

import pytest

from engines.values.words import words
from engines.vespa.values import term


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" ,.-!? _ ", []),
        ("Red wool-coat, size M", ["red", "wool", "coat", "size", "m"]),
        ("STRASSE Straße ÉTÉ", ["strasse", "strasse", "été"]),
        ("501s 3.5 o'clock", ["501s", "3", "5", "o", "clock"]),
        ("裙子 裙", ["裙子", "裙"]),
        ("x" * 250, ["x" * 100]),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected
    assert words(" ".join(expected)) == expected


def test_vespas_terms_are_letters_and_tell_words_apart() -> None:
    given = ["coat", "qx", "qxabc", "501", "été", "ete", "裙子", "a1", "a", "\ud800", "x" * 100]
    terms = [term(word) for word in given]
    assert len(set(terms)) == len(given)
    assert all(re.fullmatch("[a-z]+", made) for made in terms)
    assert (terms[0], terms[-1]) == ("coat", "x" * 100)
