"""Engines that hold tags and missing values not at all, or wrongly."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np

from engines.base import Batch, Capabilities, Hits, Vectors
from engines.bruteforce.adapter import BruteForce
from engines.columns import Keywords, Nullable, Tags
from engines.filters import And, Exists, Filter, Not, Or, leaves


class HoldsNoTags(BruteForce):
    """It declares neither."""

    capabilities: ClassVar = Capabilities(immediate=True, thread_safe=True)


class LacksNothing(BruteForce):
    """A negation does not match an item that lacks the value, as in SQL."""

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        return super().query(vector, k, None if where is None else _three_valued(where), exact=exact)


def _three_valued(where: Filter) -> Filter:
    match where:
        case And(parts):
            return And(tuple(map(_three_valued, parts)))
        case Or(parts):
            return Or(tuple(map(_three_valued, parts)))
        case Not(inner) if not isinstance(inner, Exists):
            return And((where, *(Exists(leaf.field) for leaf in leaves(inner))))
        case _:
            return where


class FirstTagOnly(BruteForce):
    """It keeps one tag of an item."""

    def index(self, batch: Batch) -> None:
        kept = {name: _first(column) for name, column in batch.attributes.items()}
        super().index(replace(batch, attributes=kept))


def _first(column: Keywords | Tags | Nullable | np.ndarray) -> Keywords | Tags | Nullable | np.ndarray:
    return Tags.encode([words[:1] for words in column.decode()]) if isinstance(column, Tags) else column
