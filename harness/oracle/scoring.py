"""Judges the answers of a window by the truth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from engines.base import Metric
from engines.columns import Column
from engines.filters import Filter, Mask, leaves, matches
from harness.data.queries.workload import Workload
from harness.oracle.candidates import lengths_of, pair_error
from harness.oracle.exact import Truth, distinct, pair_distances
from harness.results.judging import Judged, Scores, judge
from harness.results.samples import OK, Samples

__all__ = ["Judged", "judge_hits"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_AT_ONCE = 8192  # pairs beyond the k-th neighbour that are looked at again together


def judge_hits(
    samples: Samples,
    workload: Workload,
    truth: Truth,
    *,
    vectors: Float32,
    columns: Mapping[str, Column],
    metric: Metric,
    alive: Mask | None = None,
    forgive_float32: bool = False,
    exact_scores: bool = True,
) -> Judged:
    """Judges the kept answers of a window, all to queries of `workload`, one entry for each of `samples.kept_rows`.

    vectors: float32[n, d] and columns of n rows, as last written; alive: bool[n], None: all. truth must
    answer `workload` on that same state, with at least its k. Distances are computed once for each distinct (query,
    item). exact_scores: whether the engine's scores are those of the vectors as given (`Capabilities.exact_scores`).

    A hit counts as near where its float64 distance is not above that of the k-th true neighbour; only the rounding
    of these two float64 sums is forgiven, so that exact ties count. forgive_float32: `float32_allowance` is forgiven
    as well. Far from the origin that hides misses, so it is for telling a wrong distance from a rounded one, never for
    a recall that is reported.
    """
    k = workload.k
    ids, asked = samples.ids[:, :k], samples.query[samples.kept_rows]
    lengths = samples.lengths[samples.kept_rows]
    rows = len(vectors)
    known = (ids >= 0) & (ids < rows)
    in_range = known & (np.arange(k) < lengths[:, None])
    pairs, inverse = np.unique(
        asked[:, None] * np.int64(rows + 1) + np.where(in_range, ids, rows), return_inverse=True
    )
    query, item = np.divmod(pairs, rows + 1)
    live = item < rows
    if alive is not None:
        live[live] = alive[item[live]]
    permitted, near = np.zeros_like(live), np.zeros_like(live)
    permitted[live] = permitted_pairs(query[live], item[live], workload.filters, columns)
    distance = np.full(len(item), np.nan)
    distance[live] = pair_distances(vectors, workload.queries, item[live], query[live], metric)
    eligible = np.flatnonzero(live & permitted)
    near[eligible] = _near(
        query[eligible], item[eligible], distance[eligible], workload, truth, vectors, metric, forgive_float32
    )
    inverse = inverse.reshape(ids.shape)
    scores = None
    if samples.scores is not None:
        tolerance = np.full(len(item), np.nan)
        if exact_scores:
            tolerance[live] = _score_tolerance(
                distance[live], vectors, item[live], workload, query[live], metric
            )
        expected = distance if metric == "l2" else -distance if metric == "ip" else 1 - distance
        scores = Scores(samples.scores[:, :k], expected[inverse], tolerance[inverse], metric == "l2")
    return judge(
        answered=samples.status[samples.kept_rows] == OK,
        ids=ids,
        lengths=lengths,
        known=known,
        exists=live[inverse],
        permitted=permitted[inverse],
        near=near[inverse],
        matches=truth.matches[asked],
        scores=scores,
    )


def _score_tolerance(  # noqa: PLR0917 (the pairs, then what they are of)
    distance: Float64, vectors: Float32, item: Int64, workload: Workload, query: Int64, metric: Metric
) -> Float64:
    """By how much a score may differ from the float64 one: engines compute in float32, and some return a function
    of it, such as 1 / (1 + d), as a float32, from which the adapter computes the score.
    """
    score = np.abs(1 - distance if metric == "cosine" else distance)
    tolerance = 1e-4 * score + 1e-6
    for first in range(0, len(item), _AT_ONCE):
        part = slice(first, first + _AT_ONCE)
        rows, queries = vectors[item[part]], workload.queries[query[part]]
        tolerance[part] += 4 * float32_allowance(distance[part], rows, queries, metric)
    return tolerance


def permitted_pairs(
    query: Int64, item: Int64, filters: tuple[Filter | None, ...], columns: Mapping[str, Column]
) -> Mask:
    """Whether rows (int64[p]) match the filters of queries (int64[p]), bool[p]."""
    # Each distinct filter once, over the items its queries returned instead of over the whole corpus.
    different, numbers = distinct(filters)
    number = numbers[query]
    order = np.argsort(number, kind="stable")
    ends = np.cumsum(np.bincount(number, minlength=len(different)))
    permitted = np.ones(len(item), dtype=np.bool_)
    for index, where in enumerate(different):
        part = order[(ends[index - 1] if index else 0) : ends[index]]
        if where is not None and len(part):
            fields = {leaf.field for leaf in leaves(where)}
            permitted[part] = matches(where, {name: columns[name][item[part]] for name in fields}, len(part))
    return permitted


def _near(  # noqa: PLR0917 (the pairs, then what they are judged by)
    query: Int64,
    item: Int64,
    distance: Float64,
    workload: Workload,
    truth: Truth,
    vectors: Float32,
    metric: Metric,
    forgive_float32: bool,
) -> Mask:
    last = np.minimum(truth.matches, workload.k) - 1  # >= 0 for every query that has an eligible item
    everyone = np.arange(len(last))
    kth, bound = truth.ids[everyone, last], truth.distances[everyone, last]
    near = np.asarray(distance <= bound[query])
    error = float32_allowance if forgive_float32 else pair_error
    far = np.flatnonzero(~near)
    for first in range(0, len(far), _AT_ONCE):
        part = far[first : first + _AT_ONCE]
        asked, limit = workload.queries[query[part]], bound[query[part]]
        tolerance = error(distance[part], vectors[item[part]], asked, metric)
        tolerance += error(limit, vectors[kth[query[part]]], asked, metric)
        near[part] = distance[part] <= limit + tolerance
    return near


def float32_allowance(_distance: Float64, rows: Float32, queries: Float32, metric: Metric) -> Float64:
    """By how much an engine's float32 distance of rows float32[m, d] to queries may be off: 2 sqrt(d) u s, u = 2^-24.

    s is the size of what is summed: |x|^2 + |q|^2 for l2 (engines expand the square), |x||q| for ip, 1 for
    cosine. Rounding errors are independent enough to add up like a random walk, hence sqrt(d) (Higham and
    Mary, A new approach to probabilistic rounding error analysis, 2019). In 128 dimensions it is 1.4e-6 s. An engine
    that is exact but for float32 stays within it. It is large against the distances of data far from the origin.
    """
    factor = 2 * np.sqrt(rows.shape[1]) * 2.0**-24
    if metric == "cosine":
        return np.full(len(rows), factor)
    x, q = lengths_of(rows), lengths_of(queries)
    return np.asarray(factor * (x**2 + q**2 if metric == "l2" else x * q))
