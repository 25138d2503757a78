"""Words of categories as codes."""

from __future__ import annotations

import numpy as np

from models.data.items import Categories
from models.features.vocabulary import Vocabulary

COLUMN = Categories.encode(["b", "a", None, "b", "c", "a", "b", ""])


def test_words_that_occur_often_enough_have_a_code_and_the_rest_is_counted() -> None:
    vocabulary = Vocabulary.fit(COLUMN, 2)
    assert vocabulary == Vocabulary(("a", "b"), 1)
    assert len(vocabulary) == 3
    assert Vocabulary.fit(COLUMN, 3) == Vocabulary(("b",), 2)
    assert Vocabulary.fit(COLUMN, 1) == Vocabulary(("a", "b", "c"), 0)


def test_words_of_a_catalogue_that_no_listing_has_are_neither_known_nor_rare() -> None:
    assert Vocabulary.fit(COLUMN[[0, 3]], 1) == Vocabulary(("b",), 0)


def test_missing_and_unknown_are_0_and_counted_apart() -> None:
    vocabulary = Vocabulary(("a", "b"))
    codes, missing, unknown = vocabulary.encode(COLUMN)
    assert list(codes) == [2, 1, 0, 2, 0, 1, 2, 0]
    assert (missing, unknown) == (2, 1)


def test_few_rows_and_many_are_encoded_alike() -> None:
    generator = np.random.default_rng(0)
    words = tuple(f"{number:03}" for number in range(300))
    column = Categories(generator.integers(-1, 300, 2000).astype(np.int32), words)
    vocabulary = Vocabulary(words[::2])
    whole, missing, unknown = vocabulary.encode(column)
    parts = [vocabulary.encode(column[first : first + 7]) for first in range(0, 2000, 7)]
    assert isinstance(whole, np.ndarray)
    assert isinstance(parts[0][0], list)
    assert list(whole) == [code for codes, _, _ in parts for code in codes]
    assert missing == sum(part[1] for part in parts) == np.count_nonzero(column.codes == -1)
    assert unknown == sum(part[2] for part in parts) == np.isin(column.codes, np.arange(1, 300, 2)).sum()


def test_a_column_without_any_word() -> None:
    column = Categories.encode([None] * 40)
    vocabulary = Vocabulary.fit(column, 2)
    codes, missing, unknown = vocabulary.encode(column)
    assert (len(vocabulary), list(codes), missing, unknown) == (1, [0] * 40, 40, 0)
