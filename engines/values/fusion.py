"""Two rankings as one, in the client: for engines that rank by vectors and by words, each in a request of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from engines.base import Hits

_DAMPING = 60  # of the paper: the first place of a ranking counts little more than the second


def fused(rankings: Iterable[Hits], k: int) -> Hits:
    """The k best of several rankings by reciprocal rank fusion; scores are the sums, descending, ties by lower id.

    An item scores the sum of 1 / (60 + rank) over the rankings that it is in (Cormack, Clarke and Buettcher,
    Reciprocal rank fusion outperforms Condorcet and individual rank learning methods, 2009).
    """
    total: dict[int, float] = defaultdict(float)
    for hits in rankings:
        for rank, item in enumerate(hits.ids, start=1):
            total[int(item)] += 1 / (_DAMPING + rank)
    best = sorted(total.items(), key=lambda entry: (-entry[1], entry[0]))[:k]
    return Hits([item for item, _ in best], [score for _, score in best])
