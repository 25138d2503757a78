"""Engines that answer queries wrongly, one planted fault each, and the correct one beside them."""

from __future__ import annotations

import ctypes
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from engines.base import Hits
from engines.bruteforce.adapter import BruteForce
from engines.filters import And, Eq, Filter, In, Not, Or, Range
from tests.cli.broken_engines import Shared

_SOME = 0.05  # share of the answers that an occasional fault spoils


class Sound(Shared):
    """Correct; threads and processes may share it. Faults are planted in `answer`; the exact mode does without it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.rng = random.Random(1)

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        return self.right(vector, k, where) if exact else self.answer(vector, k, where)

    def right(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return BruteForce.query(self, vector, k, where)

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return self.right(vector, k, where)

    def spoilt(self) -> bool:
        return self.rng.random() < _SOME


def rewritten(where: Filter | None, change: Callable[[Any], Any]) -> Filter | None:
    where = change(where)
    if isinstance(where, And | Or):
        return type(where)(tuple(rewritten(inner, change) for inner in where.filters))  # type: ignore[misc]
    return where


# Filters


class FilterForgottenAtTimes(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return self.right(vector, k, None if self.spoilt() else where)


class LastHitBreaksFilter(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        if len(hits.ids) and self.spoilt():
            return Hits([*list(hits.ids)[:-1], self.right(vector, 1, None).ids[0]], hits.scores)
        return hits


class NotIgnored(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return self.right(vector, k, None if isinstance(where, Not) else where)


class LowerThanReadAsAtMost(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        def change(part: Any) -> Any:
            return (
                replace(part, lt=None, lte=part.lt)
                if isinstance(part, Range) and part.lt is not None
                else part
            )

        return self.right(vector, k, rewritten(where, change))


class AtMostReadAsLowerThan(Sound):
    """Loses items and never breaks a filter."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        def change(part: Any) -> Any:
            return (
                replace(part, lte=None, lt=part.lte)
                if isinstance(part, Range) and part.lte is not None
                else part
            )

        return self.right(vector, k, rewritten(where, change))


class OneOfOneIgnored(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return self.right(vector, k, None if isinstance(where, In) and len(where.values) == 1 else where)


class OnlyFirstConditionKept(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return self.right(vector, k, where.filters[0] if isinstance(where, And) else where)


class EqualityIgnoresCase(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        def change(part: Any) -> Any:
            if isinstance(part, Eq) and isinstance(part.value, str):
                return In(part.field, (part.value.lower(), part.value.upper()))
            return part

        return self.right(vector, k, rewritten(where, change))


# Hits


class HitRepeated(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        if len(hits.ids) > 1 and self.spoilt():
            return Hits([*list(hits.ids)[:-1], hits.ids[0]], hits.scores)
        return hits


class OneHitTooFew(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return self.right(vector, k - 1, where)


class TwiceTheHits(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return self.right(vector, 2 * k, where)


class UnknownId(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        return Hits([*list(hits.ids)[:-1], 999_999], hits.scores) if len(hits.ids) and self.spoilt() else hits


class NegativeId(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        return Hits([*list(hits.ids)[:-1], -1], hits.scores) if len(hits.ids) and self.spoilt() else hits


class SeventhInsteadOfNearest(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k + 6, where)
        return Hits(hits.ids[6:], hits.scores[6:])


class SameAnswerAlways(Sound):
    first: Hits | None = None

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        if self.first is None:
            self.first = self.right(vector, k, where)
        return self.first


class AnswerOfTheQueryBefore(Sound):
    before: Hits | None = None

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        self.before, answered = hits, self.before
        return answered or hits


class WrongAfterSomeQueries(Sound):
    asked = 0

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        self.asked += 1
        return self.right(vector if self.asked < 30 else vector + 1.0, k, where)


class WrongWhileAnotherIsInside(Sound):
    """Keeps the query in a buffer that all threads share."""

    buffer: Any = None

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        self.buffer = vector
        time.sleep(0.002)
        return self.right(self.buffer, k, where)


class QueryChanged(Sound):
    """Writes zeros into the query although it is read-only."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        ctypes.memset(vector.ctypes.data, 0, vector.nbytes)
        return self.right(vector, k, where)


# Scores and order


class ScoresWrong(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        return Hits(hits.ids, np.full(len(hits.ids), 7.0))


class ScoresMissing(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return Hits(self.right(vector, k, where).ids, [])


class ScoresNotANumber(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        return Hits(hits.ids, np.full(len(hits.ids), np.nan))


class WorstFirst(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        return Hits(hits.ids[::-1], hits.scores[::-1])


# When the work is done


class Later:
    """A sequence that is computed when it is first looked at."""

    def __init__(self, compute: Callable[[], list[int]]) -> None:
        self.compute, self.values = compute, None

    def get(self) -> list[int]:
        if self.values is None:
            self.values = self.compute()  # type: ignore[assignment]
        return self.values  # type: ignore[return-value]

    def __len__(self) -> int:
        return len(self.get())

    def __iter__(self) -> Any:
        return iter(self.get())

    def __getitem__(self, place: Any) -> Any:
        return self.get()[place]


class SearchesWhenLookedAt(Sound):
    """Needs 5 ms for a search, after the clock has stopped."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        def compute() -> list[int]:
            time.sleep(0.005)
            return [int(id_) for id_ in self.right(vector, k, where).ids]

        return Hits(Later(compute), Later(lambda: [float(s) for s in self.right(vector, k, where).scores]))  # type: ignore[arg-type, list-item]


class FailsWhenLookedAt(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        def compute() -> list[int]:
            raise RuntimeError("server said 500")

        return Hits(Later(compute), [0.0] * k)  # type: ignore[arg-type]


class BufferOverwritten(Sound):
    """Every answer is the same array, filled anew."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        if not hasattr(self, "buffer"):
            self.buffer = np.zeros(k, np.int64)
        self.buffer[: len(hits.ids)] = hits.ids
        return Hits(self.buffer[: len(hits.ids)], hits.scores)


class FilledInLater(Sound):
    """Answers at once with zeros; another thread puts the ids in."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        ids = [0] * k

        def work() -> None:
            time.sleep(0.002)
            ids[:] = [int(id_) for id_ in self.right(vector.copy(), k, where).ids]

        threading.Thread(target=work, daemon=True).start()
        return Hits(ids, [0.0] * k)
