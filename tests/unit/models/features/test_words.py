"""Words of texts in any script."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest

from models.features.texts.words import words


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Wool coat, SIZE 42!", ["wool", "coat", "size", "42"]),
        ("t_shirt\twomen's\n100%", ["t", "shirt", "women", "s", "100"]),
        ("", []),
        (" -\x00- ", []),
        ("Größe Ölzeug", ["größe", "ölzeug"]),
        ("ПАЛЬТО", ["пальто"]),
        ("हिन्दी कोट", ["हिन्दी", "कोट"]),  # vowel signs are marks, which belong to the word
        ("毛衣 コート x", ["毛", "衣", "コ", "ー", "ト", "x"]),
        ("coat\ud800red é", ["coat", "red", "é"]),
    ],
)
def test_words_are_runs_of_letters_marks_and_digits(text: str, found: list[str]) -> None:
    assert [word.decode() for word in words(text)] == found


@pytest.mark.parametrize("seed", range(40))
def test_a_word_is_the_same_in_a_text_of_ascii_and_in_one_that_is_not(seed: int) -> None:
    codes = np.random.default_rng(seed).integers(0, 128, 60)
    text = "".join(map(chr, codes.tolist()))
    assert len(words(text)) > 1
    assert [*words(text), "é".encode()] == words(f"{text} é")


def test_the_ways_to_write_a_letter_are_one() -> None:
    composed = "café"
    apart = unicodedata.normalize("NFD", composed)
    assert apart != composed
    assert words(apart) == words(composed)


@pytest.mark.parametrize("plane", range(0, 0x110000, 0x10000))
def test_any_character_can_be_in_a_text(plane: int) -> None:
    text = "".join(map(chr, range(plane, plane + 0x10000, 7)))
    assert not [word for word in words(text) if not word.decode() or word.isspace()]
