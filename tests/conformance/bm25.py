"""BM25 by its formula, the reference for engines that rank by words."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

K1, B = 1.2, 0.75


def bm25(wanted: Sequence[str], documents: Sequence[Sequence[str]]) -> np.ndarray:
    """The score of each document, float64[n]; 0 where it has none of the words, each of which counts once.

    Robertson and Zaragoza 2009, with the logarithm of 1 + (N - n + 0.5) / (n + 0.5), which is never negative.
    """
    lengths = np.array([len(document) for document in documents], np.float64)
    average = lengths.mean() if len(lengths) else 0.0
    scores = np.zeros(len(documents))
    for word in set(wanted):
        often = np.array([document.count(word) for document in documents], np.float64)
        having = int((often > 0).sum())
        if having == 0:
            continue
        rarity = math.log(1 + (len(documents) - having + 0.5) / (having + 0.5))
        scores += rarity * often * (K1 + 1) / (often + K1 * (1 - B + B * lengths / average))
    return scores
