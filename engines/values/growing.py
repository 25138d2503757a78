"""Columns that grow at their end, batch by batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from engines.base import Field, FieldKind
from engines.columns import Keywords, Nullable, Tags, words_of

DTYPES: dict[FieldKind, Any] = {"integer": np.int64, "float": np.float64, "boolean": np.bool_}


class Growable:
    """An array that grows at its end in amortised constant time."""

    __slots__ = ("_data", "_size")

    def __init__(self, dtype: Any, width: int | None = None) -> None:
        """width: the length of a row; None makes the array one-dimensional."""
        self._data = np.empty((0,) if width is None else (0, width), dtype)
        self._size = 0

    @property
    def view(self) -> npt.NDArray[Any]:
        """What has been appended so far; shares memory."""
        return self._data[: self._size]

    def append(self, rows: npt.NDArray[Any]) -> None:
        """Copies `rows` to the end. Raises ValueError for rows of another width."""
        if rows.shape[1:] != self._data.shape[1:]:
            raise ValueError(f"rows of shape {rows.shape[1:]} do not fit into {self._data.shape[1:]}")
        size = self._size + len(rows)
        if size > len(self._data):
            # Half as much again, not twice: the vectors of an index are most of the memory in use.
            grown = np.empty((max(size, len(self._data) * 3 // 2), *self._data.shape[1:]), self._data.dtype)
            grown[: self._size] = self.view
            self._data = grown
        self._data[self._size : size] = rows
        self._size = size


class _Words:
    """A vocabulary that grows batch by batch."""

    def __init__(self) -> None:
        self.vocabulary = Growable(object)
        self.index: dict[str, int] = {}

    def add(self, column: Keywords | Tags) -> npt.NDArray[np.int32]:
        """The column's codes as those of this vocabulary, which takes in the words that it lacks."""
        # One more than there are words: the last is that of a missing word, whose code is -1.
        codes = np.full(len(column.vocabulary) + 1, -1, np.int32)
        new = []
        for code in np.unique(column.codes[column.codes >= 0]).tolist():
            word = column.vocabulary[code]
            if word not in self.index:
                self.index[word] = len(self.index)
                new.append(word)
            codes[code] = self.index[word]
        self.vocabulary.append(words_of(new))
        return codes[column.codes]


class _KeywordColumn:
    def __init__(self) -> None:
        self.words, self.codes = _Words(), Growable(np.int32)

    def append(self, column: Keywords) -> None:
        self.codes.append(self.words.add(column))

    @property
    def view(self) -> Keywords:
        return Keywords(self.codes.view, self.words.vocabulary.view, [self.words.index])


class _TagColumn:
    def __init__(self) -> None:
        self.words, self.codes, self.offsets = _Words(), Growable(np.int32), Growable(np.int64)
        self.offsets.append(np.zeros(1, np.int64))

    def append(self, column: Tags) -> None:
        self.offsets.append(len(self.codes.view) + column.offsets[1:])
        self.codes.append(self.words.add(column))

    @property
    def view(self) -> Tags:
        return Tags(self.offsets.view, self.codes.view, self.words.vocabulary.view, [self.words.index])


class _NullableColumn:
    def __init__(self, dtype: Any) -> None:
        self.values, self.present = Growable(dtype), Growable(np.bool_)

    def append(self, column: Nullable | npt.NDArray[Any]) -> None:
        if not isinstance(column, Nullable):
            column = Nullable(column, np.ones(len(column), np.bool_))
        self.values.append(column.values)
        self.present.append(column.present)

    @property
    def view(self) -> Nullable:
        return Nullable(self.values.view, self.present.view)


Growing = _KeywordColumn | _TagColumn | _NullableColumn | Growable


def growing(field: Field) -> Growing:
    """An empty column of a field's kind, which grows batch by batch."""
    if field.kind == "keyword":
        return _KeywordColumn()
    if field.kind == "tags":
        return _TagColumn()
    return _NullableColumn(DTYPES[field.kind]) if field.optional else Growable(DTYPES[field.kind])
