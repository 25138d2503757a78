"""Listings: what a catalogue says of each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

MISSING = -1
Reading = Literal["id", "listed", "category", "number", "text"]


@dataclass(frozen=True, slots=True)
class Categories:
    """A column of categories: row i holds `words[codes[i]]`, or nothing where its code is MISSING.

    codes: int32[n]. words: distinct and sorted.
    """

    codes: npt.NDArray[np.int32]
    words: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Categories:
        """The column restricted to `rows` (a slice, a mask or an index array); the words are shared."""
        return Categories(self.codes[rows], self.words)

    def decode(self) -> list[str | None]:
        """The column as one word a row, None where there is none."""
        return [None if code == MISSING else self.words[code] for code in self.codes.tolist()]

    @classmethod
    def encode(cls, values: Sequence[str | None]) -> Categories:
        """Encodes words; None and "" are missing."""
        words = sorted({value for value in values if value})
        index = {word: code for code, word in enumerate(words)}
        codes = (index[value] if value else MISSING for value in values)
        return cls(np.fromiter(codes, np.int32, len(values)), tuple(words))


@dataclass(frozen=True, slots=True)
class ColumnChoice:
    """How a column of a file is read, and why. read_as: nothing where the column is left out.

    distinct: how many different values it holds. missing: how many rows hold none.
    """

    name: str
    read_as: tuple[Reading, ...]
    why: str
    distinct: int
    missing: int


@dataclass(frozen=True, slots=True)
class Items:
    """A catalogue of n listings.

    ids: object[n] of distinct str, or of distinct int. categories: by column. numbers: float64[n] by column, NaN where
    missing. texts: object[n] of str by column, "" where missing. listed_ms: int64[n], when each was listed, in
    milliseconds since 1970; None where the catalogue does not say. columns: how each column of the file was read.
    """

    ids: npt.NDArray[np.object_]
    categories: Mapping[str, Categories] = field(default_factory=dict)
    numbers: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    texts: Mapping[str, npt.NDArray[np.object_]] = field(default_factory=dict)
    listed_ms: npt.NDArray[np.int64] | None = None
    columns: tuple[ColumnChoice, ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, rows: Any) -> Items:
        """The listings in `rows` (a slice, a mask or an index array)."""
        return Items(
            self.ids[rows],
            {name: column[rows] for name, column in self.categories.items()},
            {name: column[rows] for name, column in self.numbers.items()},
            {name: column[rows] for name, column in self.texts.items()},
            None if self.listed_ms is None else self.listed_ms[rows],
            self.columns,
        )
