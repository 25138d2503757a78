"""How good each answer of a window was, once its hits are compared with the exact ones; pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judged:
    """How good the answers to n requests were.

    recall: float64[n], NaN where the request was not answered. violations, ghosts, unknown, duplicates: int64[n], hits
    of that kind. short: bool[n], fewer than min(k, matching items) hits. overlong: bool[n], more than k. unordered:
    bool[n], not best first. wrong_scores: bool[n], a score that is missing, no number or not that of its item. All are
    0 where not answered.
    """

    recall: Floats
    violations: Ints
    ghosts: Ints
    unknown: Ints
    duplicates: Ints
    short: Bools
    overlong: Bools
    unordered: Bools
    wrong_scores: Bools


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of n answers of up to k hits, and what they should be.

    given: float64[n, k], NaN where missing. expected, tolerance: float64[n, k], of hits that exist; NaN of others, and
    of all where an engine's scores are those of compressed vectors: then they only have to be there. ascending:
    whether the best score is the lowest, as under `l2`.
    """

    given: Floats
    expected: Floats
    tolerance: Floats
    ascending: bool


def judge(
    *,
    answered: Bools,
    ids: Ints,
    lengths: Ints,
    known: Bools,
    exists: Bools,
    permitted: Bools,
    near: Bools,
    matches: Ints,
    scores: Scores | None = None,
) -> Judged:
    """Scores n answers of up to k hits.

    answered: bool[n], the request succeeded. ids: int64[n, k]. lengths: int64[n], hits returned; those beyond
    k are ignored. known, exists, permitted, near: bool[n, k], whether the hit was ever an item, is a live one, matches
    the query's filter, and is no farther than the k-th true neighbour (a tie counts as near). matches: int64[n], items
    that match. scores: None where none were kept; then they are not judged.

    recall = distinct hits that exist, are permitted and near, at most min(k, matches) of them, divided by
    min(k, matches). Where nothing matches: 1 for an empty answer, else 0. A hit is unknown, a ghost, a violation or
    neither, each distinct item counted once; further copies of it are duplicates.
    """
    k = ids.shape[1]
    returned = (np.arange(k) < lengths[:, None]) & answered[:, None]
    first = returned & ~repeated(ids, returned)
    wanted = np.minimum(matches, k)
    correct = np.minimum(np.count_nonzero(first & exists & permitted & near, axis=1), wanted)
    some = np.count_nonzero(returned, axis=1)
    recall = np.divide(correct, wanted, out=(some == 0).astype(np.float64), where=wanted > 0)
    nothing = np.zeros(len(ids), dtype=np.bool_)
    return Judged(
        recall=np.where(answered, recall, np.nan),
        violations=np.count_nonzero(first & exists & ~permitted, axis=1),
        ghosts=np.count_nonzero(first & known & ~exists, axis=1),
        unknown=np.count_nonzero(first & ~known, axis=1),
        duplicates=some - np.count_nonzero(first, axis=1),
        short=answered & (some < wanted),
        overlong=answered & (lengths > k),
        unordered=nothing if scores is None else _unordered(scores, returned),
        wrong_scores=nothing if scores is None else _wrong(scores, returned),
    )


def _unordered(scores: Scores, returned: Bools) -> Bools:
    """Whether a hit has a better score than the one before it, by more than 1e-5 of the answer's largest."""
    given = np.where(returned, scores.given, np.nan)
    scale = np.max(np.abs(given), axis=1, initial=0, where=np.isfinite(given))
    falling = -given if scores.ascending else given
    with np.errstate(invalid="ignore"):  # of infinite scores
        rise = np.diff(falling, axis=1)
    return np.asarray((rise > 1e-5 * scale[:, None]).any(axis=1))


def _wrong(scores: Scores, returned: Bools) -> Bools:
    with np.errstate(invalid="ignore"):
        off = np.abs(scores.given - scores.expected) > scores.tolerance
    return np.asarray((returned & (off | ~np.isfinite(scores.given))).any(axis=1))


def repeated(ids: Ints, returned: Bools) -> Bools:
    """Which hits of int64[n, k] are further copies of one before them, bool[n, k]; only those `returned` count."""
    # Returned slots before the others, so that a padding value is never taken for the first copy of a hit.
    order = np.lexsort((~returned, ids), axis=1)
    ranked = np.take_along_axis(ids, order, axis=1)
    repeated = np.zeros(ids.shape, dtype=np.bool_)
    np.put_along_axis(repeated, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
    return repeated
