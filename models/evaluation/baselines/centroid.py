"""Listings whose text is like the mean text of the history: no other user is needed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.split import Cases
from models.evaluation.baselines.ranking import as_matrix, best, blocks, exclude
from models.evaluation.popularity import Popularity

Int32 = npt.NDArray[np.int32]
Float32 = npt.NDArray[np.float32]

_CELLS = 4 << 20
_STEPS = np.float32(2**20)  # a cosine 1e-6 larger is no better


@dataclass(frozen=True, slots=True)
class Centroid:
    """The score of an item is the cosine of its text's vector and the mean of the history's unit vectors.

    units: float32[n, t] of length 1, or 0 where an item has no text; its score is 0 then. A user without a history is
    answered by popularity.
    """

    units: Float32
    popularity: Popularity

    @classmethod
    def of(cls, vectors: Float32, popularity: Popularity) -> Centroid:
        """From text vectors float32[n, t] of any length."""
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return cls((vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32), popularity)

    def recommend(self, cases: Cases, k: int) -> Int32:
        """See `Recommender`."""
        answers = np.full((len(cases), k), -1, np.int32)
        items = len(self.popularity)
        for rows, part in blocks(cases, np.full(len(cases), items), _CELLS):
            means = as_matrix(part.histories, items) @ self.units
            lengths = np.linalg.norm(means, axis=1, keepdims=True)
            means /= np.where(lengths > 0, lengths, 1)
            # Products of equal vectors may differ in their last bits, by where they stand in the matrix.
            scores = np.rint(means @ self.units.T * _STEPS)
            exclude(scores, part)
            answers[rows] = best(scores, self.popularity, k)
        return answers
