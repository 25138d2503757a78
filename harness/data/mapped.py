"""Columns on disk, mapped when they are asked for: a mapping takes a file descriptor, and tables may be wide."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence

from engines.base import Column

_OPEN = 64  # columns kept, so that a keyword column's index of words is not made again for each filter


class MappedColumns(Mapping[str, Column]):
    """Opens each column at its first use, and keeps the last few. What a caller holds on to stays mapped."""

    def __init__(self, names: Sequence[str], load: Callable[[str], Column]) -> None:
        self._names = dict.fromkeys(names)
        self._load = load
        self._kept: OrderedDict[str, Column] = OrderedDict()

    def __getitem__(self, name: str) -> Column:
        if name not in self._names:
            raise KeyError(name)
        if name not in self._kept:
            self._kept[name] = self._load(name)
        self._kept.move_to_end(name)
        if len(self._kept) > _OPEN:
            self._kept.popitem(last=False)
        return self._kept[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


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
