"""What each answer of a window was worth, once its hits are held against the exact ones; pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Bools = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Judged:
    """What each of n requests' answers was worth.

    recall: float64[n], NaN where the request was not answered. violations, ghosts, duplicates: int64[n], hits
    of that kind. short: bool[n], fewer than min(k, matching items) hits. All are 0 where not answered.
    """

    recall: Floats
    violations: Ints
    ghosts: Ints
    duplicates: Ints
    short: Bools


def judge(
    *,
    answered: Bools,
    ids: Ints,
    lengths: Ints,
    exists: Bools,
    permitted: Bools,
    near: Bools,
    matches: Ints,
) -> Judged:
    """Scores n answers of up to k hits.

    answered: bool[n], the request succeeded. ids: int64[n, k]. lengths: int64[n], hits returned; those beyond
    k are ignored. exists, permitted, near: bool[n, k], whether the hit is a live item, matches the query's
    filter, and is no farther than the k-th true neighbour (a tie counts as near). matches: int64[n], items
    that match.

    recall = distinct hits that exist, are permitted and near, at most min(k, matches) of them, divided by
    min(k, matches). Where nothing matches: 1 for an empty answer, else 0. A hit is a ghost, a violation or
    neither, each distinct item counted once; further copies of it are duplicates.
    """
    k = ids.shape[1]
    returned = (np.arange(k) < lengths[:, None]) & answered[:, None]
    first = returned & ~_repeated(ids, returned)
    wanted = np.minimum(matches, k)
    correct = np.minimum(np.count_nonzero(first & exists & permitted & near, axis=1), wanted)
    some = np.count_nonzero(returned, axis=1)
    recall = np.divide(correct, wanted, out=(some == 0).astype(np.float64), where=wanted > 0)
    return Judged(
        recall=np.where(answered, recall, np.nan),
        violations=np.count_nonzero(first & exists & ~permitted, axis=1),
        ghosts=np.count_nonzero(first & ~exists, axis=1),
        duplicates=some - np.count_nonzero(first, axis=1),
        short=answered & (some < wanted),
    )


def _repeated(ids: Ints, returned: Bools) -> Bools:
    # Returned slots before the others, so that a padding value cannot pass for the first copy of a hit.
    order = np.lexsort((~returned, ids), axis=1)
    ranked = np.take_along_axis(ids, order, axis=1)
    repeated = np.zeros(ids.shape, dtype=np.bool_)
    np.put_along_axis(repeated, order[:, 1:], ranked[:, 1:] == ranked[:, :-1], axis=1)
    return repeated
