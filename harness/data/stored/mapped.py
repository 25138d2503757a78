"""Arrays and columns on disk, mapped; columns only when they are asked for.

A mapping takes a file descriptor, and tables may be wide.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from engines.columns import Column, column_from, words_of

_OPEN = 64  # columns kept, so that a keyword column's index of words is not made again for each filter


def mapped(path: Path) -> npt.NDArray[Any]:
    """A .npy file, memory-mapped. Raises OSError and ValueError."""
    return np.asarray(np.load(path, mmap_mode="r"))


def objects(values: list[Any]) -> npt.NDArray[np.object_]:
    """The values as an array of Python objects."""
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


class MappedColumns(Mapping[str, Column]):
    """Opens each column at its first use, and keeps the last few. What a caller holds on to stays mapped.

    files: of each column's arrays, by their names (`arrays_of`). vocabularies: of the columns of words. Another process
    gets the paths, not the values.
    """

    def __init__(
        self, files: Mapping[str, Mapping[str, Path]], vocabularies: Mapping[str, list[str]]
    ) -> None:
        self._files, self._vocabularies = files, vocabularies
        self._kept: OrderedDict[str, Column] = OrderedDict()

    def __reduce__(self) -> tuple[type[MappedColumns], tuple[Any, ...]]:
        return MappedColumns, (self._files, self._vocabularies)

    def __getitem__(self, name: str) -> Column:
        if name not in self._kept:
            arrays, words = (
                {part: mapped(file) for part, file in self._files[name].items()},
                self._vocabularies.get(name),
            )
            self._kept[name] = column_from(arrays, None if words is None else words_of(words))
        self._kept.move_to_end(name)
        if len(self._kept) > _OPEN:
            self._kept.popitem(last=False)
        return self._kept[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._files)

    def __len__(self) -> int:
        return len(self._files)


class FirstRows(Mapping[str, Column]):
    """The first rows of every column of a mapping."""

    def __init__(self, columns: Mapping[str, Column], rows: int) -> None:
        self._columns, self._rows = columns, rows

    def __getitem__(self, name: str) -> Column:
        return self._columns[name][: self._rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)
