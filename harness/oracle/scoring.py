"""Holds the answers of a window against the truth."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from engines.base import Column, Metric
from engines.filters import Filter, Mask, leaves, matches
from harness.data.workload import Workload
from harness.oracle.exact import Truth, distinct, pair_distances
from harness.results.judging import Judged, judge
from harness.results.samples import OK, Samples

__all__ = ["Judged", "judge_hits"]

Float32 = npt.NDArray[np.float32]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]


def judge_hits(
    samples: Samples,
    workload: Workload,
    truth: Truth,
    *,
    vectors: Float32,
    columns: Mapping[str, Column],
    metric: Metric,
    alive: Mask | None = None,
) -> Judged:
    """Judges every request of a window; distances are computed once for each distinct (query, item).

    vectors: float32[n, d] and columns of n rows, as last written; alive: bool[n], None: all. truth must
    answer `workload` on that same state, with at least its k.
    """
    k = workload.k
    ids = samples.ids[:, :k]
    rows = len(vectors)
    in_range = (ids >= 0) & (ids < rows) & (np.arange(k) < samples.lengths[:, None])
    pairs, inverse = np.unique(
        samples.query[:, None] * np.int64(rows + 1) + np.where(in_range, ids, rows), return_inverse=True
    )
    query, item = np.divmod(pairs, rows + 1)
    live = item < rows
    if alive is not None:
        live[live] = alive[item[live]]
    permitted, near = np.zeros_like(live), np.zeros_like(live)
    permitted[live] = _permitted(query[live], item[live], workload.filters, columns)
    eligible = np.flatnonzero(live & permitted)
    near[eligible] = _near(
        query[eligible], item[eligible], workload=workload, truth=truth, vectors=vectors, metric=metric
    )
    inverse = inverse.reshape(ids.shape)
    return judge(
        answered=samples.status == OK,
        ids=ids,
        lengths=samples.lengths,
        exists=live[inverse],
        permitted=permitted[inverse],
        near=near[inverse],
        matches=truth.matches[samples.query],
    )


def _permitted(
    query: Int64, item: Int64, filters: tuple[Filter | None, ...], columns: Mapping[str, Column]
) -> Mask:
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


def _near(
    query: Int64, item: Int64, *, workload: Workload, truth: Truth, vectors: Float32, metric: Metric
) -> Mask:
    last = np.minimum(truth.matches, workload.k) - 1  # >= 0 for every query that has an eligible item
    everyone = np.arange(len(last))
    kth, bound = truth.ids[everyone, last], truth.distances[everyone, last]
    distance = pair_distances(vectors, workload.queries, item, query, metric)
    tolerance = _rounding(vectors, workload.queries, item, query, metric)
    tolerance += _rounding(vectors, workload.queries, kth[query], query, metric)
    return np.asarray(distance <= bound[query] + tolerance)


def _rounding(vectors: Float32, queries: Float32, item: Int64, query: Int64, metric: Metric) -> Float64:
    """By how much an engine's float32 distance of a pair may be off: 2 sqrt(d) u s, u = 2^-24.

    s is the size of what is summed: |x|^2 + |q|^2 for l2 (engines expand the square), |x||q| for ip, 1 for
    cosine. Rounding errors are independent enough to add up like a random walk, hence sqrt(d) (Higham and
    Mary, A new approach to probabilistic rounding error analysis, 2019). The worst case, d u s, would be
    wider than the gap between true neighbours of images and so hide misses; the difference form alone,
    relative to the distance, would punish exact engines that expand the square. In 128 dimensions it is
    1.4e-6 s: whoever is that near the k-th cannot be told from it in float32.
    """
    factor = 2 * np.sqrt(vectors.shape[1]) * 2.0**-24
    if metric == "cosine":
        return np.full(len(item), factor)
    x, q = _square_norms(vectors, item), _square_norms(queries, query)
    return np.asarray(factor * (x + q if metric == "l2" else np.sqrt(x * q)))


def _square_norms(rows: Float32, index: Int64) -> Float64:
    distinct, inverse = np.unique(index, return_inverse=True)
    norms = np.empty(len(distinct))
    step = 16384
    for first in range(0, len(distinct), step):
        part = rows[distinct[first : first + step]]
        norms[first : first + step] = np.einsum("ij,ij->i", part, part, dtype=np.float64)
    return norms[inverse]
