"""What users are shown of an engine's answers: their history is taken out, and what breaks their filter. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.base import Metric
from engines.filters import Filter
from harness.data.dataset import Dataset
from harness.oracle.candidates import lengths_of
from harness.oracle.exact import pair_distances
from harness.oracle.scoring import permitted_pairs
from models.data.interactions import ItemLists
from models.evaluation.neighbours import Neighbours
from models.evaluation.recommender import places, without_repeats
from models.retrieval.held_out import HeldOut

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Filters = Sequence[Filter | None]


@dataclass(frozen=True, slots=True)
class Received:
    """An engine's answers to c users as far as they count, in the engine's order, none (-1) last.

    unknown: how many answers were no listing; repeats: how many came twice; violations: how many broke the user's
    filter. They have taken a place each: what stood behind the k-th answer does not move up.
    """

    answers: Int32
    unknown: int = 0
    repeats: int = 0
    violations: int = 0


def without_history(ids: Int32, histories: ItemLists, k: int) -> Int32:
    """The first k answers of each case that are not of its history: int32[c, k], in their order, none (-1) last.

    ids: int32[c, w], as many as were asked for: k and as many as the history has.
    """
    left = ids.copy()
    owners = histories.owners
    while (found := places(left, histories)).max(initial=-1) >= 0:  # again, for what is answered twice
        left[owners[found >= 0], found[found >= 0]] = -1
    return _closed_up(left)[:, :k]


def received(ids: Int64, held: HeldOut, filters: Filters, k: int) -> Received:
    """What counts of the answers int64[c, w] of an engine that was asked for `held.hits(k)`.

    filters: one a user. Answers beyond what was asked for are not looked at.
    """
    rows, asked = len(held.dataset.vectors), np.array(held.hits(k))
    strange = (ids < -1) | (ids >= rows)
    wide = np.full((len(ids), max(k, ids.shape[1])), -1, np.int32)
    # What is no listing takes a place until k are left, so it stands as a row that no listing has.
    wide[:, : ids.shape[1]] = np.where(
        np.arange(ids.shape[1]) < asked[:, None], np.where(strange, rows, ids), -1
    )
    first = without_history(wide, held.cases.histories, k)
    unknown = first == rows
    known = np.where(unknown, -1, first).astype(np.int32)
    once = without_repeats(known)
    case, place = np.nonzero(once >= 0)
    items, columns = once[case, place].astype(np.int64), held.dataset.columns
    broken = ~permitted_pairs(case, items, tuple(filters), columns)
    kept = once.copy()
    kept[case[broken], place[broken]] = -1
    return Received(
        _closed_up(kept),
        int(np.count_nonzero(unknown)),
        int(np.count_nonzero(once != known)),
        int(np.count_nonzero(broken)),
    )


def neighbours(answers: Int32, dataset: Dataset) -> Neighbours:
    """Answers int32[c, k] to the first c queries with their distances, computed in float64 from the vectors as given.

    Cosine: 1 - cos. l2: Euclidean. Inner product has no zero, so its distance is |q| max|x| - q.x, how far it is below
    the largest possible; where all listings are as long, as a model's are, that is |q||x| (1 - cos).
    """
    queries = dataset.queries[: len(answers)]
    found = pair_distances(
        dataset.vectors, queries, answers.astype(np.int64), np.arange(len(answers)), dataset.metric
    )
    known = answers >= 0
    return Neighbours.of(answers, np.where(known, _from_zero(found, known, dataset, dataset.metric), np.inf))


def _from_zero(found: Floats, known: npt.NDArray[np.bool_], dataset: Dataset, metric: Metric) -> Floats:
    """Canonical distances as distances from the best that is possible; rounding below 0 is 0."""
    if metric == "l2":
        return np.sqrt(found)
    if metric == "ip":
        longest = max(float(lengths_of(part).max()) for part in _parts(dataset.vectors))
        best = lengths_of(np.asarray(dataset.queries[: len(found)])) * longest
        found = found + np.where(known, best[:, None], 0.0)
    return np.maximum(found, 0.0)


def _parts(vectors: npt.NDArray[np.float32]) -> Sequence[npt.NDArray[np.float32]]:
    step = 1 << 16
    return [np.asarray(vectors[first : first + step]) for first in range(0, len(vectors), step)]


def _closed_up(answers: Int32) -> Int32:
    """Each row with its -1 last, the others in their order."""
    return np.take_along_axis(answers, np.argsort(answers < 0, axis=1, kind="stable"), axis=1)
