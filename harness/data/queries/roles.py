"""Which queries are for checking, which for warming up, and which are measured: never the same ones.

An engine that remembers answers would otherwise be measured on what it was asked before.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_CHECKING, _WARMING = 0.1, 0.2  # shares of the queries; the others are measured
_CHECKED_AT_MOST = 200
_FEWEST = 10  # queries, below which all of them have to serve for everything


@dataclass(frozen=True, slots=True)
class QueryRoles:
    """Numbers of queries, int64 each, in ascending order. shared: there are too few, so every role has all of them."""

    checking: npt.NDArray[np.int64]
    warming: npt.NDArray[np.int64]
    measuring: npt.NDArray[np.int64]
    shared: bool = False


def split_queries(count: int, seed: int) -> QueryRoles:
    """Divides `count` queries among the roles, the same way for the same seed."""
    everything = np.arange(count, dtype=np.int64)
    if count < _FEWEST:
        return QueryRoles(everything, everything, everything, shared=True)
    order = np.random.default_rng([seed & 0xFFFFFFFF, count]).permutation(everything)
    checking = min(_CHECKED_AT_MOST, max(1, round(_CHECKING * count)))
    warming = max(1, round(_WARMING * count))
    first, second, third = np.split(order, [checking, checking + warming])
    return QueryRoles(np.sort(first), np.sort(second), np.sort(third))
