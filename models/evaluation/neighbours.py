"""An engine's neighbours against the exact ones: what counts, recall, and how much farther they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.evaluation.recommender import without_repeats

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Answers to c cases with their distances.

    items: int32[c, k], -1 for none. distances: float64[c, k] >= 0, smaller is nearer; of none they do not matter. They
    are to be Euclidean (not squared) or 1 - cosine, computed by one routine for exact and engine alike, for an engine's
    own scores differ by rounding.
    """

    items: Int32
    distances: Floats

    @classmethod
    def of(cls, items: Any, distances: Any) -> Neighbours:
        """From any integers and floats.

        Raises ValueError for shapes that differ, and distances that are negative or NaN: an inner product has no zero,
        so its ratio would mean nothing.
        """
        found = cls(np.asarray(items, np.int32), np.asarray(distances, np.float64))
        if found.items.shape != found.distances.shape or found.items.ndim != 2:
            raise ValueError(
                f"items {found.items.shape} and distances {found.distances.shape} must be one [c, k]"
            )
        wrong = (found.items >= 0) & ~(found.distances >= 0)
        if wrong.any():
            case = int(np.flatnonzero(wrong.any(axis=1))[0])
            raise ValueError(f"distances must be >= 0; case {case} has {found.distances[case].tolist()}")
        return found


@dataclass(frozen=True, slots=True)
class Judged:
    """An engine's answers, after what does not count has been taken out of them.

    answers: sorted by distance; none (-1, inf) for what was taken out. near: int64[c], how many of them are as near as
    the exact ones. repeats, impossible: how many answers were taken out, see `judged`; short: cases with fewer
    answers, after that, than the exact ones.
    """

    answers: Neighbours
    near: Int64
    repeats: int
    impossible: int
    short: int


def judged(exact: Neighbours, engine: Neighbours, tolerance: float = 1e-9) -> Judged:
    """Takes out of an engine's answers what cannot count.

    Taken out: repeats of an item within a case; and what is impossible, nearer than the farthest exact answer and yet
    none of them. Exact answers are the k nearest of what a case's filter allows, so such an item breaks the filter.
    An item as far as the farthest exact one, but for `tolerance` times its distance, is as good (a tie), in as many
    places as the exact answers give to that distance. Where fewer
    than k items are allowed, all of them are exact answers, and every other is impossible.
    """
    once = without_repeats(engine.items)
    repeats = int(np.count_nonzero(once != engine.items))
    among = _among(once, exact.items)
    counts = (exact.items >= 0).sum(axis=1)
    full = counts == exact.items.shape[1]
    farthest = np.where(exact.items >= 0, exact.distances, 0.0).max(axis=1, initial=0.0)
    bound = np.where(full, farthest, np.inf)[:, None]
    slack = np.where(full, farthest * tolerance, 0.0)[:, None]
    impossible = (once >= 0) & ~among & (engine.distances < bound - slack)
    kept = (once >= 0) & ~impossible
    distances = np.where(kept, engine.distances, np.inf)
    order = np.argsort(distances, axis=1, kind="stable")
    items = np.take_along_axis(np.where(kept, once, -1), order, axis=1)
    answers = Neighbours(items, np.take_along_axis(distances, order, axis=1))
    short = int(np.count_nonzero(kept.sum(axis=1) < counts))
    # Nearer ones count each, ties only as often as the exact answers have a place for one.
    nearer = among & (engine.distances < bound - slack)
    ties = kept & ~nearer & (among | (engine.distances <= bound + slack))
    slots = ((exact.items >= 0) & (exact.distances >= bound - slack)).sum(axis=1)
    near = nearer.sum(axis=1) + np.minimum(ties.sum(axis=1), slots)
    return Judged(answers, near, repeats, int(np.count_nonzero(impossible)), short)


def recall_against_exact(exact: Neighbours, found: Judged) -> Floats:
    """The share of the exact answers that the engine has, ties counted as such: float64[c]; NaN without exact answers.

    The denominator is how many exact answers there are, which is below k where a filter allows fewer.
    """
    counts = (exact.items >= 0).sum(axis=1)
    shares = np.minimum(found.near, counts) / np.maximum(counts, 1)
    return np.where(counts > 0, shares, np.nan)


def inverse_ratio(exact: Neighbours, found: Judged) -> Floats:
    """1/ratio@k: the mean over ranks i of exact distance i over answered distance i: float64[c] in 0 to 1.

    1 where the answers are as near as the exact ones, whichever they are; NaN without exact answers. The ratio of
    answered to exact distances is the LSH literature's (Tao et al. 2009, "Quality and efficiency in high dimensional
    nearest neighbor search"); its inverse as a measure beside recall is Dimitropoulos and Mamoulis 2026 (arXiv
    2606.04522). Averaged here as inverses, rank by rank, so that an answer that is missing counts as 0, at an
    infinite distance. Two distances of 0 have the ratio 1.
    """
    k = exact.items.shape[1]
    ranked = np.sort(np.where(exact.items >= 0, exact.distances, np.inf), axis=1)
    answered = found.answers.distances[:, :k]
    missing = np.full((len(answered), k - answered.shape[1]), np.inf)
    answered = np.concatenate([answered, missing], axis=1)
    known = np.isfinite(ranked)
    best = np.where(known, ranked, 0.0)
    ratios = np.divide(best, answered, out=np.ones_like(best), where=answered > 0)
    total = np.where(known, np.minimum(ratios, 1.0), 0.0).sum(axis=1)
    return np.where(known.any(axis=1), total / np.maximum(known.sum(axis=1), 1), np.nan)


def _among(items: Int32, exact: Int32) -> Bools:
    """Which of int32[c, k] are among the exact answers of their case."""
    rows = np.repeat(np.arange(len(exact)), exact.shape[1])
    width = np.int64(max(items.max(initial=0), exact.max(initial=0)) + 1)
    known = np.sort((rows * width + exact.ravel())[exact.ravel() >= 0])
    keys = np.arange(len(items), dtype=np.int64)[:, None] * width + items
    if not len(known):
        return np.zeros(items.shape, np.bool_)
    at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
    found: Bools = (items >= 0) & (known[at] == keys)
    return found
