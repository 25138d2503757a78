"""Listings as arrays: what the towers read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Sizes:
    """What the towers' tables are as large as.

    ids: rows of the id table, with row 0. categories: rows of each category's table, with row 0. numbers and text:
    columns of `Features.numbers` and `Features.text`.
    """

    ids: int
    categories: tuple[int, ...]
    numbers: int
    text: int


@dataclass(frozen=True, slots=True)
class Features:
    """n listings as the towers read them; every value is finite.

    ids: int32[n], row of the id table, 0 for a listing that nobody took in training. categories: int32[n, c], code of
    the word, 0 where it is missing or unknown. numbers: float32[n, m], two columns a number: its standardised value,
    and 1 where it is missing. text: float32[n, t], zeros where there is no text.

    What could not be used is counted. missing: listings without a value, by column. unknown: listings whose value the
    model does not know, by column: a word that is not in the vocabulary, an infinite number, a text of unknown words
    only. ignored: columns of the catalogue that the model does not read.
    """

    ids: Int32
    categories: Int32
    numbers: Float32
    text: Float32
    missing: Mapping[str, int] = field(default_factory=dict)
    unknown: Mapping[str, int] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Any) -> Features:
        """The listings in `rows` (a slice, a mask or an index array); counts are of the whole and stay behind."""
        return Features(self.ids[rows], self.categories[rows], self.numbers[rows], self.text[rows])


@dataclass(frozen=True, slots=True)
class Preferences:
    """What u users say that they like.

    features: listings of which only what a user named is known, so that the listing tower encodes them. A user who
    names one word a column has one listing; one who names several of a column has several, each with one of them, and
    the user tower weighs them as it weighs a history. starts: int64[u + 1], those of user i are `features` from
    starts[i] to starts[i + 1]. Words that the model does not know are counted in `features.unknown`; a user who names
    no other has no listing.
    """

    features: Features
    starts: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts) - 1
