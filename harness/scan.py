"""The inner loop of the oracle: which rows can be among a query's k nearest, found by blocked multiplies.

Scores are computed in float32 by one matrix product per block, larger meaning nearer:

    l2      x.q - |x|^2 / 2     (ranks as -|x - q|^2 / 2, for |q|^2 is the same for every row)
    ip      x.q
    cosine  x.q / (|x| |q|)

A float32 score differs from the true one by at most the bound of `_error` (Higham, Accuracy and Stability
of Numerical Algorithms, section 3.1: a dot product of d terms in any order errs by at most
d u / (1 - d u) |x||q|, u = 2^-24). So every row whose upper bound reaches the k-th best lower bound is
kept, and only those are ranked in float64. Nothing that belongs to the answer can be lost.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engines.base import Metric

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_UNIT = 2.0**-24  # unit round-off of float32
_UNDERFLOW = 2.0**-126  # each product may lose this much below the normal range
_CROWD = 4  # times k: survivors a query, beyond which a block tightens the bound first


def pair_distance(rows: Float32, query: Float32, metric: Metric) -> Float64:
    """Canonical float64 distances (smaller is nearer) of rows float32[m, d] to query float32[d] or [m, d].

    l2: |x - q|^2 by differences. ip: -x.q. cosine: 1 - x.q / (|x||q|), 1 where either is zero. Each pair is
    summed in the same order wherever it stands, so that equal vectors have equal distances.
    """
    if metric == "l2":
        difference = np.subtract(rows, query, dtype=np.float64)
        return np.asarray(np.einsum("ij,ij->i", difference, difference))
    wide = rows.astype(np.float64)
    other = np.broadcast_to(query, rows.shape).astype(np.float64)
    dot: Float64 = np.einsum("ij,ij->i", wide, other)
    if metric == "ip":
        return -dot
    scale = np.sqrt(np.einsum("ij,ij->i", wide, wide)) * np.sqrt(np.einsum("ij,ij->i", other, other))
    return np.asarray(1.0 - np.divide(dot, scale, out=np.zeros_like(dot), where=scale > 0))


@dataclass(frozen=True, slots=True)
class Scorer:
    """Turns queries and rows into float32 scores with a bound on their error.

    queries: float32[g, d], as they enter the product. norms: float64[g], theirs. centre: float32[d] or None,
    subtracted from rows and queries alike: distances stay, rounding shrinks with the norms.
    """

    metric: Metric
    queries: Float32
    norms: Float64
    centre: Float32 | None

    @classmethod
    def of(cls, queries: Float32, metric: Metric, centre: Float32 | None) -> Scorer:
        """The scorer of queries float32[g, d]."""
        if metric == "cosine":
            queries = _unit_length(queries)
        elif centre is not None:
            queries = queries - centre
        return cls(metric, queries, np.linalg.norm(queries.astype(np.float64), axis=1), centre)

    def scores(self, rows: Float32, out: Float32) -> Float64:
        """Writes the scores of rows float32[b, d] to out float32[g, b]; returns error bounds float64[g]."""
        if self.metric == "cosine":
            rows = _unit_length(rows)
        elif self.centre is not None:
            rows = rows - self.centre
        squares = np.einsum("ij,ij->i", rows, rows)
        np.matmul(self.queries, rows.T, out=out)
        if self.metric == "l2":
            out -= squares * np.float32(0.5)
        return self._error(float(squares.max()), rows.shape[1])

    def _error(self, largest_square: float, dim: int) -> Float64:
        # 16 u covers the few roundings beside the two sums: centring or scaling, halving, subtracting.
        length = np.sqrt(largest_square * (1 + 2 * dim * _UNIT))
        magnitude = (length + self.norms) ** 2 / 2 if self.metric == "l2" else length * self.norms
        error: Float64 = (1.1 * dim + 16) * _UNIT * magnitude + 4 * dim * _UNDERFLOW
        return error


def _unit_length(rows: Float32) -> Float32:
    norms: Float64 = np.sqrt(np.einsum("ij,ij->i", rows, rows, dtype=np.float64))
    inverse = np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
    return (rows * inverse[:, None]).astype(np.float32)


class Collector:
    """Keeps, for g queries, every row seen so far that may be among the k nearest.

    Rows must be offered in ascending order. Memory: a small multiple of g x k rows, however many tie.
    """

    def __init__(self, vectors: Float32, queries: Float32, k: int, metric: Metric) -> None:
        self._vectors, self._queries, self._k, self._metric = vectors, queries, k, metric
        self._bound = np.full(len(queries), -np.inf)  # k-th best lower bound of a score
        self._counts = np.zeros(len(queries), dtype=np.int64)
        self._parts: list[
            tuple[Int64, Int64, Float64, Float64]
        ] = []  # query, row, lower and upper bound of score

    def offer(self, scores: Float32, rows: Int64 | int, error: Float64) -> None:
        """Takes scores float32[g, b] (-inf: not eligible) of `rows` (ids, or the first of b in a row)."""
        width = scores.shape[1]
        above = scores > self._limit(error)
        if width > self._k and np.count_nonzero(above) > _CROWD * self._k * len(scores):
            best = np.partition(scores, width - self._k, axis=1)[:, width - self._k]
            np.maximum(self._bound, best - error, out=self._bound)
            above = scores > self._limit(error)
        flat = np.flatnonzero(above)
        query, column = np.divmod(flat, width)
        score = scores.reshape(-1)[flat].astype(np.float64)
        slack = error[query]
        row = column + rows if isinstance(rows, int) else rows[column]
        self._parts.append((query, row, score - slack, score + slack))
        self._counts += np.bincount(query, minlength=len(scores))
        cap = 2 * _CROWD * self._k
        if self._counts.sum() > cap // 2 * len(scores) or self._counts.max() > 4 * cap:
            self._prune()

    def _limit(self, error: Float64) -> Float32:
        return np.nextafter((self._bound - error).astype(np.float32), np.float32(-np.inf))[:, None]

    def _prune(self) -> None:
        width = max(int(self._counts.max()), 1)
        lower = np.full((len(self._counts), width), -np.inf)
        upper = np.full_like(lower, -np.inf)
        rows = np.zeros(lower.shape, dtype=np.int64)
        filled = np.zeros_like(self._counts)
        for query, row, low, high in self._parts:
            counts = np.bincount(query, minlength=len(filled))
            place = np.arange(len(query)) + (filled - np.cumsum(counts) + counts)[query]
            lower[query, place], upper[query, place], rows[query, place] = low, high, row
            filled += counts
        if width > self._k:
            best = np.partition(lower, width - self._k, axis=1)[:, width - self._k]
            np.maximum(self._bound, best, out=self._bound)
        keep = (upper >= self._bound[:, None]) & (upper > -np.inf)
        for query in np.flatnonzero(keep.sum(axis=1) > _CROWD * self._k).tolist():
            self._settle_ties(query, keep, rows)
        flat = np.flatnonzero(keep)
        self._parts = [
            (flat // width, rows.reshape(-1)[flat], lower.reshape(-1)[flat], upper.reshape(-1)[flat])
        ]
        self._counts = keep.sum(axis=1, dtype=np.int64)

    def _settle_ties(self, query: int, keep: npt.NDArray[np.bool_], rows: Int64) -> None:
        # More ties than float32 can tell apart: ranked exactly now, so that memory stays bounded.
        places = np.flatnonzero(keep[query])
        distance = pair_distance(self._vectors[rows[query, places]], self._queries[query], self._metric)
        keep[query] = False
        keep[query, places[np.argsort(distance, kind="stable")[: self._k]]] = True

    def nearest(self) -> tuple[Int64, Float64]:
        """Ids int64[g, k] padded with -1 and distances float64[g, k] padded with inf, nearest first."""
        self._prune()
        ids = np.full((len(self._queries), self._k), -1, dtype=np.int64)
        distances = np.full(ids.shape, np.inf)
        ends = np.cumsum(self._counts)
        for query, (end, count) in enumerate(zip(ends.tolist(), self._counts.tolist(), strict=True)):
            rows = self._parts[0][1][end - count : end]
            exact = pair_distance(self._vectors[rows], self._queries[query], self._metric)
            order = np.argsort(exact, kind="stable")[: self._k]
            ids[query, : len(order)], distances[query, : len(order)] = rows[order], exact[order]
        return ids, distances
