"""Answers as they came: read within the clock, checked and stored compactly outside it."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from harness.load.clients import describe

Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]

KEPT_HITS = 4_000_000  # of one window, 16 bytes each; of more answers a uniform sample is kept
RawColumn = list[Any] | npt.NDArray[Any]

_NUMBERS = (float, int, np.floating, np.integer)
UNREADABLE = (TypeError, OverflowError)  # what `pack_ids` raises


def read_column(column: Any) -> RawColumn:
    """The ids or scores of an answer as a new list or array, whatever type they came in.

    Called before the clock is stopped: work that an engine does only when its answer is read belongs to the request.
    Raises TypeError for what has no length, and whatever is raised while reading.
    """
    if type(column) is np.ndarray:
        if column.ndim == 1 and column.dtype.kind in "iuf":
            return column.copy()
        values: list[Any] = column.tolist()
        return values
    len(column)  # an iterator could be read only once
    return list(column)


class AnswerBlock(NamedTuple):
    """n answers of up to k hits.

    ids: int64[n, k] padded with -1; scores: float64[n, k] padded with NaN; lengths: int64[n]; unreadable: by position
    why an answer could not be read.
    """

    ids: Int64
    scores: Float64
    lengths: Int64
    unreadable: dict[int, str]


def answer_block(ids: Sequence[RawColumn], scores: Sequence[RawColumn], k: int) -> AnswerBlock:
    """Answers, each as `read_column` made it or a list, as matrices.

    An answer of more than k ids keeps its length but only its first k hits. One whose ids are anything but whole
    numbers of 64 bits is taken as empty. Scores that are no numbers, or not as many as there are ids, become NaN.
    """
    unreadable: dict[int, str] = {}
    try:
        flat = _whole_numbers(ids)
    except UNREADABLE:
        ids, unreadable = _readable(ids)
        flat = _whole_numbers(ids)
    lengths = np.fromiter(map(len, ids), np.int64, len(ids))
    if (np.fromiter(map(len, scores), np.int64, len(scores)) != lengths).any():
        scores = [
            answer if len(answer) == length else [np.nan] * length
            for answer, length in zip(scores, lengths.tolist(), strict=True)
        ]
    return AnswerBlock(
        _matrix(flat, lengths, k, -1),
        _matrix(_floats(scores), lengths, k, np.nan),
        lengths,
        unreadable,
    )


def unpack_answers(ids: Sequence[bytes], scores: Sequence[bytes], k: int) -> AnswerBlock:
    """The same of answers that were stored one by one with `pack_ids` and `pack_scores`."""
    lengths = np.fromiter(map(len, ids), np.int64, len(ids)) // 8
    given = np.fromiter(map(len, scores), np.int64, len(scores)) // 8
    if (given != lengths).any():
        scores = [
            answer if given[place] == length else pack_scores([np.nan] * length)
            for place, (answer, length) in enumerate(zip(scores, lengths.tolist(), strict=True))
        ]
    return AnswerBlock(
        _matrix(np.frombuffer(b"".join(ids), np.int64), lengths, k, -1),
        _matrix(np.frombuffer(b"".join(scores), np.float64), lengths, k, np.nan),
        lengths,
        {},
    )


def _whole_numbers(columns: Sequence[RawColumn]) -> Int64:
    """The ids of all answers, one after another. Raises as `pack_ids` does."""
    if set(map(type, columns)) == {np.ndarray}:
        flat = np.concatenate(columns)
        # An array of 64 bits without sign may hold more than fits, so it takes the longer way.
        if flat.dtype.kind in "iu" and flat.dtype != np.uint64:
            return flat.astype(np.int64, copy=False)
    return np.frombuffer(pack_ids(_flat(columns)), np.int64)


def _floats(columns: Sequence[RawColumn]) -> Float64:
    if set(map(type, columns)) == {np.ndarray}:
        return np.concatenate(columns).astype(np.float64, copy=False)
    return np.frombuffer(pack_scores(_flat(columns)), np.float64)


def _flat(columns: Sequence[RawColumn]) -> list[Any]:
    if np.ndarray in set(map(type, columns)):
        columns = [as_list(column) for column in columns]
    return list(chain.from_iterable(columns))


def as_list(column: RawColumn) -> list[Any]:
    """The same values as Python's own."""
    return column.tolist() if isinstance(column, np.ndarray) else list(column)


def pack_ids(values: list[Any]) -> bytes:
    """Whole numbers of 64 bits, one after another. Raises TypeError for anything else, OverflowError beyond 64 bits.

    An object that only converts to a number could do its work during the conversion, so it is refused. The sum shows
    it: it is an int only if every value is one, and is computed faster than the type of each value is checked. `struct`
    is five times as fast as `array`, and ten times as fast as NumPy.
    """
    try:
        total = sum(values)
    except TypeError:
        total = None
    if not isinstance(total, (int, np.integer)):
        kinds = sorted({type(value).__name__ for value in values})
        raise TypeError(f"ids must be whole numbers, got {', '.join(kinds)}")
    try:
        return struct.pack(f"{len(values)}q", *values)
    except struct.error as error:
        raise OverflowError(f"ids must be whole numbers of 64 bits: {error}") from None


def pack_scores(values: list[Any]) -> bytes:
    """Floats of 64 bits, one after another; NaN for each that is no number.

    As in `pack_ids`, the sum shows an object that would compute its number only now, after the clock has stopped.
    """
    try:
        if isinstance(sum(values), _NUMBERS):
            return struct.pack(f"{len(values)}d", *values)
    except (struct.error, OverflowError, TypeError):
        pass
    return struct.pack(f"{len(values)}d", *map(_float_or_nan, values))


def _float_or_nan(value: Any) -> float:
    try:
        return float(value) if isinstance(value, _NUMBERS) else np.nan
    except OverflowError:
        return np.nan


def _readable(answers: Sequence[RawColumn]) -> tuple[list[RawColumn], dict[int, str]]:
    kept: list[RawColumn] = []
    broken = {}
    for position, answer in enumerate(answers):
        try:
            pack_ids(as_list(answer))
            kept.append(answer)
        except UNREADABLE as error:
            kept.append([])
            broken[position] = f"unreadable hits: {describe(error)}"
    return kept, broken


def _matrix(flat: npt.NDArray[Any], lengths: Int64, k: int, padding: float) -> npt.NDArray[Any]:
    n = len(lengths)
    if n and k and (lengths == lengths[0]).all() and lengths[0] >= k:
        return np.array(flat.reshape(n, lengths[0])[:, :k])
    matrix = np.full((n, k), padding, dtype=flat.dtype)
    within = np.arange(len(flat)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    matrix[np.arange(k) < np.minimum(lengths, k)[:, None]] = flat[within < k]
    return matrix


class AnswerStore:
    """A uniform sample of the answers of a window, whatever their number: at most `room` of them."""

    __slots__ = ("_blocks", "_count", "_k", "_rng", "_room", "share")

    def __init__(self, k: int, room: int, rng: np.random.Generator) -> None:
        self._k, self._room, self._rng = k, max(1, room), rng
        self._blocks: list[tuple[Int64, Int64, Float64]] = []
        self._count = 0
        self.share = 1.0

    def add(self, first_row: int, answers: AnswerBlock) -> None:
        """Keeps each answer with probability `share`. first_row: the row of the first; the others follow it."""
        rows, ids, scores = np.arange(first_row, first_row + len(answers.ids)), answers.ids, answers.scores
        if self.share < 1:
            kept = self._rng.random(len(rows)) < self.share
            rows, ids, scores = rows[kept], ids[kept], scores[kept]
        self._blocks.append((rows, ids, scores))
        self._count += len(rows)
        while self._count > self._room:
            rows, ids, scores = self.columns()
            kept = self._rng.random(len(rows)) < 0.5
            self._blocks = [(rows[kept], ids[kept], scores[kept])]
            self._count = int(np.count_nonzero(kept))
            self.share /= 2

    def columns(self) -> tuple[Int64, Int64, Float64]:
        """What was kept: rows int64[m] ascending, ids int64[m, k] and scores float64[m, k]."""
        if not self._blocks:
            return np.zeros(0, np.int64), np.zeros((0, self._k), np.int64), np.zeros((0, self._k))
        rows, ids, scores = zip(*self._blocks, strict=True)
        return np.concatenate(rows), np.concatenate(ids), np.concatenate(scores)


class ChangeCheck:
    """Looks at some answers again after later requests: an engine may have returned a buffer that it reuses.

    rechecked: how many it has looked at again; changed: how many of them were not what they had been.
    """

    __slots__ = ("_held", "_left", "changed", "rechecked")

    def __init__(self, most: int = 64) -> None:
        self._held: tuple[Any, RawColumn] | None = None
        self._left = most
        self.rechecked = self.changed = 0

    def hold(self, hits: Any, ids: RawColumn) -> None:
        """Looks at the answer held before, then holds this one: hits as returned, and its ids as they were then."""
        self.recheck()
        if self._left > 0:
            self._held = hits, ids
            self._left -= 1

    def recheck(self) -> None:
        """Compares the answer held with what it was, and drops it."""
        if self._held is None:
            return
        hits, ids = self._held
        self._held = None
        self.rechecked += 1
        try:
            self.changed += as_list(read_column(hits.ids)) != as_list(ids)
        except Exception:  # noqa: BLE001  it could be read before
            self.changed += 1
