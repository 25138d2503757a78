"""The same most popular items for everyone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.split import Cases
from models.evaluation.baselines.ranking import most_popular
from models.evaluation.popularity import Popularity

Int32 = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Popular:
    """Answers what was taken most in training."""

    popularity: Popularity

    def recommend(self, cases: Cases, k: int) -> Int32:
        """See `Recommender`."""
        answers = np.full((len(cases), k), -1, np.int32)
        fill(answers, cases, self.popularity)
        return answers


def fill(answers: Int32, cases: Cases, popularity: Popularity) -> None:
    """Puts the most popular items in place of every -1 of int32[c, k], in place; none twice, none of the history."""
    ordered = most_popular(popularity, cases.candidates)
    taken = np.zeros(len(popularity), np.bool_)
    for row in np.flatnonzero((answers < 0).any(axis=1)).tolist():
        history = cases.histories[row]
        chosen = answers[row][answers[row] >= 0]
        taken[history] = taken[chosen] = True
        first = ordered[: answers.shape[1] + len(history)]
        more = first[~taken[first]][: answers.shape[1] - len(chosen)]
        answers[row, len(chosen) : len(chosen) + len(more)] = more
        taken[history] = taken[chosen] = False
