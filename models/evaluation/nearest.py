"""A trained model's own answers: the listings nearest to a user, found by comparing all of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from models.data.split import Cases
from models.encoding.listing import ListingEncoder
from models.encoding.user import UserEncoder
from models.encoding.weights import TowerWeights
from models.evaluation.baselines.ranking import best, blocks, exclude
from models.evaluation.popularity import Popularity
from models.features.features import Features

Int32 = npt.NDArray[np.int32]
Float32 = npt.NDArray[np.float32]

_CELLS = 4 << 20  # scores that are held at a time


@dataclass(frozen=True, slots=True)
class Nearest:
    """Scores are the model's; of equal ones the more popular listing comes first.

    listings: float32[n, d], vectors of the catalogue. adding: float32[n], what popularity adds to each one's score.
    """

    user: UserEncoder
    listings: Float32
    adding: Float32
    popularity: Popularity

    @classmethod
    def of(cls, weights: TowerWeights, features: Features, popularity: Popularity) -> Nearest:
        """From the towers, and features of the whole catalogue."""
        listings = ListingEncoder(weights.listing).vectors(features)
        return cls(UserEncoder(weights.user), listings, _adding(weights, features), popularity)

    def weighed(self, weights: TowerWeights, features: Features) -> Nearest:
        """The same vectors, with the popularity of these weights; features: as in `of`."""
        return replace(self, adding=_adding(weights, features))

    def users(self, cases: Cases) -> Float32:
        """Vectors of the users: float32[c, d]."""
        return self.user.many(self.listings, cases.histories, cases.asked_ms)

    def recommend(self, cases: Cases, k: int) -> Int32:
        """See `models.evaluation.recommender.Recommender`."""
        return answers(self.users(cases), self.listings, cases, self.popularity, k, adding=self.adding)


def _adding(weights: TowerWeights, features: Features) -> Float32:
    return np.asarray(np.float32(weights.weight) * weights.popularity[features.ids])


def answers(
    queries: Float32,
    listings: Float32,
    cases: Cases,
    popularity: Popularity,
    k: int,
    *,
    adding: Float32 | None = None,
) -> Int32:
    """The k listings of the largest inner product with each query, as a `Recommender` answers: int32[c, k].

    queries: float32[c, d] of the c cases; listings: float32[n, d]. adding: float32[n], to each listing's product.
    """
    found = np.full((len(cases), k), -1, np.int32)
    for rows, part in blocks(cases, np.full(len(cases), len(listings)), _CELLS):
        scores = queries[rows] @ listings.T
        if adding is not None:
            scores += adding
        exclude(scores, part)
        found[rows] = best(scores, popularity, k)
    return found
