"""Answers of a server that are decoded when they are first read.

A load reads each answer before it stops the clock, so decoding is timed; a caller that needs no ids is spared it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from engines.base import Hits


class Column(Sequence[Any]):
    """The ids or the scores of a reply."""

    __slots__ = ("_column", "_reply")

    def __init__(self, reply: Reply, column: int) -> None:
        self._reply, self._column = reply, column

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        return self._reply.columns[self._column][index]

    def __len__(self) -> int:
        return len(self._reply.columns[self._column])

    def __iter__(self) -> Iterator[Any]:
        return iter(self._reply.columns[self._column])


class Reply:
    """A server's answer as it came, and how to read ids and scores from it."""

    __slots__ = ("_columns", "_decode", "_raw")

    def __init__(self, raw: Any, decode: Callable[[Any], tuple[Sequence[int], Sequence[float]]]) -> None:
        self._raw, self._decode = raw, decode
        self._columns: tuple[Sequence[int], Sequence[float]] | None = None

    @property
    def columns(self) -> tuple[Sequence[int], Sequence[float]]:
        """(ids, scores); decoded once."""
        if self._columns is None:
            self._columns = self._decode(self._raw)
            self._raw = None
        return self._columns


def deferred(raw: Any, decode: Callable[[Any], tuple[Sequence[int], Sequence[float]]]) -> Hits:
    """Hits that are decoded from a server's answer when they are first read.

    `decode` raises ValueError for an answer that it cannot read.
    """
    reply = Reply(raw, decode)
    return Hits(Column(reply, 0), Column(reply, 1))
