"""Answers of a server that are decoded when they are first looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

from engines.base import Hits


class Answer(Sequence[Any]):
    """One column of an answer that is decoded when first looked at: after the timed window, under load."""

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
    """Hits that are decoded from a server's answer when they are first looked at.

    `decode` raises ValueError for an answer that it cannot read.
    """
    reply = Reply(raw, decode)
    return Hits(Answer(reply, 0), Answer(reply, 1))
