"""Engines that read filters wrongly, or answer in the wrong form, one planted fault each."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np

from engines.base import Hits
from engines.filters import And, Eq, Filter, In, Not, Or, Range
from tests.faults.answers import Sound, rewritten

# Filters


class FalseMatchesAll(Sound):
    """Takes a value that is false, zero or empty for none at all."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        if isinstance(where, Eq) and not where.value:
            return self.right(vector, k, None)
        return self.right(vector, k, where)


class ZeroBoundForgotten(Sound):
    """Takes a bound of zero for none."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        def change(part: Any) -> Any:
            if isinstance(part, Range) and part.lte == 0 and part.gte is None:
                return None
            return part

        return self.right(vector, k, change(where))


class OrReadAsAnd(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return self.right(vector, k, And(where.filters) if isinstance(where, Or) else where)


class NotOverAllParts(Sound):
    """Reads not (a and b) as not a and not b."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        if isinstance(where, Not) and isinstance(where.filter, And):
            where = And(tuple(Not(part) for part in where.filter.filters))
        return self.right(vector, k, where)


class BoundInFloat32(Sound):
    """Compares with bounds that are rounded up to 32 bits."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        def change(part: Any) -> Any:
            if isinstance(part, Range) and isinstance(part.gte, float):
                return replace(part, gte=float(np.nextafter(np.float32(part.gte), np.float32(np.inf))))
            return part

        return self.right(vector, k, rewritten(where, change))


class AccentsFolded(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        def change(part: Any) -> Any:
            if isinstance(part, Eq) and part.value == "Zoë":
                return In(part.field, ("Zoë", "Zoe"))
            return part

        return self.right(vector, k, rewritten(where, change))


# Hits and scores


class AtMostFour(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        return self.right(vector, min(k, 4), where)


class NotSquared(Sound):
    """Scores are distances, not their squares."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        return Hits(hits.ids, np.sqrt(hits.scores))


class ScoresInFloat16(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        return Hits(hits.ids, np.asarray(hits.scores).astype(np.float16))


class IdsWrapped(Sound):
    """Ids above a limit come back negative."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        ids = np.asarray(hits.ids)
        return Hits(np.where(ids >= 1024, ids - 2048, ids), hits.scores)


class AnswersAreGenerators(Sound):
    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        return Hits((int(id_) for id_ in hits.ids), hits.scores)  # type: ignore[arg-type]


class LazyScore:
    def __init__(self, value: float) -> None:
        self.value = value

    def __float__(self) -> float:
        time.sleep(0.0005)
        return self.value


class ScoresComputedLater(Sound):
    """Scores are computed when they are converted to numbers."""

    def answer(self, vector: Any, k: int, where: Filter | None) -> Hits:
        hits = self.right(vector, k, where)
        return Hits([int(i) for i in hits.ids], [LazyScore(float(s)) for s in hits.scores])  # type: ignore[misc]
