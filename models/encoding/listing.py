"""Vectors of listings."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from models.encoding.maths import residual, unit
from models.encoding.weights import ListingWeights
from models.features.features import Features, Float32, Int32

_CHUNK = 256  # listings at a time: what they pass through stays in the processor's cache


@dataclass(frozen=True, slots=True)
class ListingEncoder:
    """The listing tower, for batches and for one."""

    weights: ListingWeights
    _words: Float32 = field(init=False, repr=False, compare=False)
    _begins: Int32 = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """One table for the words of all categories."""
        tables = self.weights.categories
        begins = np.cumsum([0, *(len(table) for table in tables)], dtype=np.int32)[:-1]
        object.__setattr__(self, "_words", np.concatenate([np.empty_like(self.weights.ids[:0]), *tables]))
        object.__setattr__(self, "_begins", begins)

    def vectors(self, features: Features) -> Float32:
        """Unit vectors float32[n, d] of n listings."""
        vectors = np.empty((len(features), self.weights.ids.shape[1]), np.float32)
        for first in range(0, len(features), _CHUNK):
            part = slice(first, first + _CHUNK)
            vectors[part] = self._passed(self._sum(features, part))
        return vectors

    def of_words(self, categories: Int32, numbers: Float32) -> Float32:
        """The same of listings of which nothing but words is known: int32[n, c] as in `Features`.

        numbers: float32[m], those of a listing of which none is known. What else they lack is left out, for a user who
        waits.
        """
        total = self._said(categories) + numbers @ self.weights.numbers
        return self._passed(total)

    def _passed(self, total: Float32) -> Float32:
        layer = self.weights.residual
        return unit(residual(total, layer), len(layer.inner))

    def _sum(self, features: Features, part: slice) -> Float32:
        """What each feature says, added up."""
        total = features.text[part] @ self.weights.text
        total += features.numbers[part] @ self.weights.numbers
        ids = self.weights.ids.take(features.ids[part], axis=0)
        ids[features.ids[part] == 0] = 0  # what is in the row of no id does not count
        total += ids
        total += self._said(features.categories[part])
        return total

    def _said(self, categories: Int32) -> Float32:
        """The sum of the rows of each listing's words."""
        return np.asarray(np.add.reduce(self._words.take(categories + self._begins, axis=0), axis=1))
