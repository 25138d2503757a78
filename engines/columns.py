"""Columns of attributes: how the values of many items are held, missing ones among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

Value = str | int | float | bool

Rows = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Keywords:
    """A keyword column, dictionary-encoded: row i holds `vocabulary[codes[i]]`, nothing where the code is -1.

    codes: int32[n]; vocabulary: object[v] of distinct str.
    """

    codes: npt.NDArray[np.int32]
    vocabulary: npt.NDArray[np.object_]
    # Holds one dict, word -> code, once a word has been looked up. A list, so that slices share it.
    _index: list[dict[str, int]] = field(default_factory=list, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.codes)

    def __getitem__(self, rows: Any) -> Keywords:
        """The column restricted to `rows` (a slice, a mask or an index array); the vocabulary is shared."""
        return Keywords(self.codes[rows], self.vocabulary, self._index)

    def code(self, word: Value) -> int | None:
        """The code of a word, None if it is not in the vocabulary. The first call reads all of it."""
        return _code(word, self.vocabulary, self._index)

    def decode(self) -> list[Any]:
        """The column as one str a row, None where there is none."""
        if not len(self.vocabulary):
            return [None] * len(self)
        words = self.vocabulary[self.codes]
        missing = self.codes < 0
        if missing.any():
            words[missing] = None
        decoded: list[Any] = words.tolist()
        return decoded

    @classmethod
    def encode(cls, values: Sequence[str | None]) -> Keywords:
        """Encodes str values, None for a missing one; the vocabulary is sorted by code point.

        Not by NumPy: its string arrays drop trailing NULs and are as wide as their longest value.
        """
        vocabulary, index = _vocabulary(value for value in values if value is not None)
        codes = np.fromiter(
            (-1 if value is None else index[value] for value in values), np.int32, len(values)
        )
        return cls(codes, vocabulary, [index])


@dataclass(frozen=True, slots=True)
class Tags:
    """A column of several keywords an item: row i holds the words `vocabulary[codes[offsets[i] : offsets[i + 1]]]`,
    each once; a row may hold none.

    offsets: int64[n + 1], of which the first is 0; codes: int32[m]; vocabulary: object[v] of distinct str.
    """

    offsets: Rows
    codes: npt.NDArray[np.int32]
    vocabulary: npt.NDArray[np.object_]
    _index: list[dict[str, int]] = field(default_factory=list, repr=False, compare=False)
    # Holds `rows` once they have been asked for.
    _rows: list[Rows] = field(default_factory=list, repr=False, compare=False)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, rows: Any) -> Tags:
        """The column restricted to `rows` (a slice, a mask or an index array); the vocabulary is shared."""
        if isinstance(rows, slice) and rows.step in (None, 1):  # codes that lie together need not be copied
            first, last, _ = rows.indices(len(self))
            bounds = self.offsets[first : max(first, last) + 1]
            codes = self.codes[bounds[0] : bounds[-1]]
            return Tags(bounds - bounds[0] if first else bounds, codes, self.vocabulary, self._index)
        starts = self.offsets[:-1][rows]
        lengths = self.offsets[1:][rows] - starts
        offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
        place = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], lengths)
        return Tags(offsets, self.codes[place], self.vocabulary, self._index)

    def code(self, word: Value) -> int | None:
        """The code of a word, None if it is not in the vocabulary. The first call reads all of it."""
        return _code(word, self.vocabulary, self._index)

    @property
    def rows(self) -> Rows:
        """The row that each code belongs to: int64[m]. Made at the first call."""
        if not self._rows:
            self._rows.append(np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets)))
        return self._rows[0]

    def having(self, codes: npt.NDArray[Any] | Sequence[int]) -> Mask:
        """Which rows hold at least one of these codes: bool[n]."""
        mask = np.zeros(len(self), dtype=np.bool_)
        if len(codes) == 1:
            found = self.codes == codes[0]
        else:
            wanted = np.zeros(len(self.vocabulary), dtype=np.bool_)
            wanted[codes] = True
            found = wanted[self.codes]
        mask[self.rows[found]] = True
        return mask

    def decode(self) -> list[Any]:
        """The column as one list of words a row, [] where there are none."""
        words = self.vocabulary[self.codes].tolist() if len(self.codes) else []
        bounds = self.offsets.tolist()
        return [words[first:last] for first, last in pairwise(bounds)]

    @classmethod
    def encode(cls, values: Sequence[Sequence[str]]) -> Tags:
        """Encodes lists of words, of which repeated ones count once; the vocabulary is sorted by code point."""
        different = [list(dict.fromkeys(words)) for words in values]
        vocabulary, index = _vocabulary(chain.from_iterable(different))
        codes = np.fromiter((index[word] for words in different for word in words), np.int32)
        offsets = np.concatenate([[0], np.cumsum([len(words) for words in different], dtype=np.int64)])
        return cls(offsets.astype(np.int64), codes, vocabulary, [index])


@dataclass(frozen=True, slots=True)
class Nullable:
    """A column of numbers or booleans of which some are missing.

    values: int64[n], float64[n] or bool[n], 0 where missing; present: bool[n].
    """

    values: npt.NDArray[Any]
    present: Mask

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, rows: Any) -> Nullable:
        """The column restricted to `rows` (a slice, a mask or an index array)."""
        return Nullable(self.values[rows], self.present[rows])

    def decode(self) -> list[Any]:
        """The column as one number or boolean a row, None where there is none."""
        pairs = zip(self.values.tolist(), self.present.tolist(), strict=True)
        return [value if known else None for value, known in pairs]


# An array is int64[n], float64[n] or bool[n] without gaps.
Column = Keywords | Tags | Nullable | npt.NDArray[Any]


def decoded(column: Column) -> list[Any]:
    """One Python value a row: None where it is missing, a list of words where there may be several."""
    values: list[Any] = column.tolist() if isinstance(column, np.ndarray) else column.decode()
    return values


def present(column: Column) -> Mask | None:
    """Which rows have a value, a new bool[n]; None where all have one."""
    if isinstance(column, np.ndarray):
        return None
    if isinstance(column, Nullable):
        known = column.present.copy()
    elif isinstance(column, Keywords):
        known = column.codes >= 0
    else:
        known = np.diff(column.offsets) > 0
    return None if known.all() else known


def occurring(column: Column) -> npt.NDArray[Any]:
    """The values or codes of a column, each as often as it occurs, missing ones left out."""
    match column:
        case Keywords():
            return column.codes[column.codes >= 0]
        case Tags():
            return column.codes
        case Nullable():
            return column.values[column.present]
        case _:
            return column


def arrays_of(column: Column) -> dict[str, npt.NDArray[Any]]:
    """The arrays that a column is made of, by name; "" for its values or codes. Its vocabulary is not among them."""
    match column:
        case Keywords():
            return {"": column.codes}
        case Tags():
            return {"": column.codes, "offsets": column.offsets}
        case Nullable():
            return {"": column.values, "present": column.present}
        case _:
            return {"": column}


def column_from(arrays: Mapping[str, npt.NDArray[Any]], vocabulary: npt.NDArray[np.object_] | None) -> Column:
    """The column of which `arrays_of` made these; vocabulary: None where it has none."""
    values = arrays[""]
    if vocabulary is not None:
        return (
            Tags(arrays["offsets"], values, vocabulary)
            if "offsets" in arrays
            else Keywords(values, vocabulary)
        )
    return Nullable(values, arrays["present"]) if "present" in arrays else values


def words_of(words: Sequence[str]) -> npt.NDArray[np.object_]:
    """Words as a vocabulary: object[v]."""
    vocabulary = np.empty(len(words), dtype=object)
    vocabulary[:] = words
    return vocabulary


def _vocabulary(words: Iterable[str]) -> tuple[npt.NDArray[np.object_], dict[str, int]]:
    different = sorted(set(words))
    return words_of(different), {word: code for code, word in enumerate(different)}


def _code(word: Value, vocabulary: npt.NDArray[np.object_], index: list[dict[str, int]]) -> int | None:
    if not index:
        index.append({known: code for code, known in enumerate(vocabulary)})
    return index[0].get(word)  # type: ignore[arg-type]
