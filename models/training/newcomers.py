"""How popular listings count that have no row of the id table, for nobody or few took them in training.

Training counts them as popular as their interactions say, which is not at all; yet many are new, and some of them will
be wanted. By how much they are held back decides whether they are found.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from models.encoding.weights import TowerWeights

TRIED = tuple(step / 10 for step in range(11))  # of the most popular listing's popularity


def with_newcomers(weights: TowerWeights, recall: Callable[[TowerWeights], float]) -> TowerWeights:
    """The same towers, with the popularity that is best for listings without a row: that of row 0.

    recall: of towers, on validation cases. Of equally good ones the lowest is taken, so that nothing is put forward
    without a case that it is good for. Unchanged where popularity does not count.
    """
    if not weights.weight:
        return weights
    tried = [_with(weights, share) for share in TRIED]
    return tried[int(np.argmax([recall(each) for each in tried]))]


def _with(weights: TowerWeights, share: float) -> TowerWeights:
    popularity = weights.popularity.copy()
    popularity[0] = share
    return replace(weights, popularity=popularity)
