"""The best of scored items, equal scores by popularity and row; in blocks of users, so that memory is bounded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from models.data.interactions import ItemLists
from models.data.split import Cases
from models.evaluation.popularity import Popularity

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float32 = npt.NDArray[np.float32]

_LOW = np.int64(0xFFFFFFFF)
_CACHED = 1 << 17


def best(scores: Float32, popularity: Popularity, k: int) -> Int32:
    """The k best items of each row of scores float32[b, n]: int32[b, k], -1 where fewer are above -inf.

    Scores must not be NaN. Equal ones stand by `popularity.places`.
    """
    items = scores.shape[1]
    count = min(k, items)
    answers = np.full((len(scores), k), -1, np.int32)
    if not count:
        return answers
    step = max(1, _CACHED // items)  # passes over what fits into the cache
    for first in range(0, len(scores), step):
        keys = _keys(scores[first : first + step], popularity.places)
        keys.partition(items - count, axis=1)
        ranked = np.sort(keys[:, items - count :], axis=1)[:, ::-1]
        answers[first : first + step, :count] = np.where(
            ranked >= _LOWEST, popularity.order[_places(ranked)], -1
        )
    return answers


def best_of(items: Int32, scores: Float32, popularity: Popularity, k: int) -> Int32:
    """As `best`, of one user for whom these items alone have scores: at most k of them."""
    keys = _keys(scores, popularity.places[items])
    if len(keys) > k:
        keys.partition(len(keys) - k)
        keys = keys[len(keys) - k :]
    return popularity.order[_places(np.sort(keys)[::-1])]


def most_popular(popularity: Popularity, candidates: npt.NDArray[np.bool_] | None) -> Int32:
    """The candidates, the most popular first."""
    return popularity.order if candidates is None else popularity.order[candidates[popularity.order]]


def exclude(scores: Float32, cases: Cases) -> None:
    """Sets the scores (float32[c, n]) of histories, and of all that is no candidate, to -inf, in place."""
    owners = np.repeat(np.arange(len(cases)), cases.histories.lengths)
    scores[owners, cases.histories.items] = -np.inf
    if cases.candidates is not None:
        scores[:, ~cases.candidates] = -np.inf


def blocks(cases: Cases, costs: Int64, budget: int) -> Iterator[tuple[slice, Cases]]:
    """The cases in runs whose costs (int64[c], cells each) stay within the budget, one case at least."""
    first = 0
    ends = np.cumsum(costs)
    while first < len(cases):
        before = ends[first - 1] if first else 0
        last = max(first + 1, int(np.searchsorted(ends, before + budget, side="right")))
        yield slice(first, last), cases.take(np.arange(first, last))
        first = last


def as_matrix(lists: ItemLists, items: int) -> Any:
    """Lists as a sparse matrix, float32[lists, items], 1 where the list has the item."""
    from scipy import sparse

    ones = np.ones(len(lists.items), np.float32)
    return sparse.csr_array((ones, lists.items, lists.starts), shape=(len(lists), items))


def _keys(scores: Float32, places: Int32) -> Int64:
    """One number each that is larger where the score is, and at equal scores where the place is smaller.

    The bits of a float, as an integer, ascend with it, but for negative ones, whose bits but the sign descend.
    """
    bits = (scores + np.float32(0)).view(np.int32)  # -0 becomes 0
    turned = bits >> 31
    turned &= np.int32(0x7FFFFFFF)
    turned ^= bits
    keys = turned.astype(np.int64)
    keys <<= 32
    keys |= _LOW - places
    return keys


def _places(keys: Int64) -> Int64:
    return _LOW - (keys & _LOW)


_LOWEST = _keys(np.full(1, -np.finfo(np.float32).max, np.float32), np.full(1, _LOW))[
    0
]  # of a score above -inf
