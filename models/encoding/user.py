"""Vectors of users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from models.data.interactions import ItemLists
from models.encoding.maths import residual, unit
from models.encoding.weights import UserWeights
from models.features.features import Float32

if TYPE_CHECKING:
    from scipy import sparse

DAY_MS = 86_400_000
_CHUNK = 1024  # users at a time

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Declared:
    """What u users declare, as `models.features.features.Preferences`, encoded.

    vectors: float32[p, d], of the listings that stand for it. starts: int64[u + 1], where those of each user begin.
    unknown: how many words the model does not know, by column.
    """

    vectors: Float32
    starts: Int64
    unknown: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UserEncoder:
    """The user tower, for one user and for many."""

    weights: UserWeights

    def one(
        self,
        history: Float32,
        ages_days: npt.NDArray[np.floating] | None = None,
        declared: Float32 | None = None,
    ) -> Float32:
        """A unit vector, float32[d].

        history: float32[m, d], vectors of the distinct listings that the user took, oldest first; the newest `longest`
        count. ages_days: float[m], how long ago; None where times are unknown. declared: float32[p, d], vectors of the
        listings that stand for what the user declares.
        """
        weights = self.weights
        history = history[-weights.longest :]
        members = history if declared is None else np.concatenate([history, declared])
        if not len(members):
            return self._passed(weights.empty)
        parts, width = weights.attention.shape
        own = members.reshape(-1, parts, width).transpose(1, 0, 2)  # float32[p, m, w]
        scores = (own @ weights.attention[..., None])[..., 0]
        if ages_days is not None and weights.recency.any():
            scores[:, : len(history)] += _recency(ages_days[-weights.longest :], weights.recency).T
        scores -= np.maximum.reduce(scores, axis=1, keepdims=True)
        np.exp(scores, out=scores)
        scores /= np.add.reduce(scores, axis=1, keepdims=True)
        return self._passed(np.asarray(scores[:, None] @ own, np.float32).reshape(-1))

    def many(
        self,
        listings: Float32,
        histories: ItemLists,
        asked_ms: Int64 | None = None,
        declared: Declared | None = None,
    ) -> Float32:
        """Unit vectors float32[u, d] of u users.

        listings: float32[n, d], vectors of the catalogue. histories: rows of it, the distinct listings that each user
        took, oldest first; the newest `longest` count. asked_ms: int64[u], when each is asked, in milliseconds since
        1970; None, or histories without times: recency does not count. What was taken after that was taken just now.
        """
        vectors = np.empty((len(histories), listings.shape[1]), np.float32)
        for first in range(0, len(histories), _CHUNK):
            users = np.arange(first, min(first + _CHUNK, len(histories)))
            part = self._newest(histories.take(users))
            ages = None
            if asked_ms is not None and part.times_ms is not None:
                asked = np.repeat(asked_ms[users], part.lengths)
                ages = np.maximum(asked - part.times_ms, 0) / DAY_MS
            vectors[users] = self._some(listings, part, ages, declared, users)
        return vectors

    def _newest(self, lists: ItemLists) -> ItemLists:
        longest, lengths = self.weights.longest, lists.lengths
        if lengths.max(initial=0) <= longest:
            return lists
        kept = np.arange(len(lists.items)) >= np.repeat(lists.starts[1:] - longest, lengths)
        starts = np.concatenate([[0], np.cumsum(np.minimum(lengths, longest))])
        return ItemLists(starts, lists.items[kept], None if lists.times_ms is None else lists.times_ms[kept])

    def _some(
        self,
        listings: Float32,
        lists: ItemLists,
        ages_days: npt.NDArray[np.float64] | None,
        declared: Declared | None,
        users: Int64,
    ) -> Float32:
        weights = self.weights
        members = listings[lists.items]
        owners = np.repeat(np.arange(len(lists)), lists.lengths)
        scores = self._scores(members)
        if ages_days is not None and weights.recency.any():
            scores += _recency(ages_days, weights.recency)
        if declared is not None:
            said = declared.vectors[declared.starts[users[0]] : declared.starts[users[-1] + 1]]
            members = np.concatenate([members, said])
            owners = np.concatenate(
                [owners, np.repeat(np.arange(len(lists)), np.diff(declared.starts)[users])]
            )
            scores = np.concatenate([scores, self._scores(said)])
        parts, width = weights.attention.shape
        means = np.empty((len(lists), parts, width), np.float32)
        for part in range(parts):
            mixing = _shares(scores[:, part], owners, len(lists))
            means[:, part] = mixing @ members[:, part * width : (part + 1) * width]
        vectors = means.reshape(len(lists), -1)
        vectors[np.bincount(owners, minlength=len(lists)) == 0] = weights.empty
        return self._passed(vectors)

    def _scores(self, members: Float32) -> Float32:
        """float32[n, p] of n members: how much each counts in each part, before the softmax."""
        attention = self.weights.attention
        return np.asarray(np.einsum("npw,pw->np", members.reshape(-1, *attention.shape), attention))

    def _passed(self, means: Float32) -> Float32:
        layer = self.weights.residual
        return unit(residual(means, layer), len(layer.inner))


def _shares(scores: Float32, owners: Int64, users: int) -> sparse.csr_array:
    """The softmax of each user's members: [users, members], float32. scores: float32[members], their owners' beside."""
    from scipy import sparse  # which takes long to import, and not every service has a model

    highest = np.full(users, -np.inf, np.float32)
    np.maximum.at(highest, owners, scores)
    shares = np.exp(scores - highest[owners])
    shares /= np.bincount(owners, shares, users).astype(np.float32)[owners]
    return sparse.csr_array((shares, (owners, np.arange(len(owners)))), shape=(users, len(owners)))


def _recency(ages_days: npt.NDArray[np.floating], weights: Float32) -> Float32:
    """What ages add to scores, float32[m, p]; one that is negative or no number counts as 0."""
    return np.asarray(np.log1p(np.fmax(ages_days, 0))[:, None] * weights, np.float32)
