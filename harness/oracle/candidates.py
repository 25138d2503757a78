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
from harness.data.stored.arrays import LONGEST

Float64 = npt.NDArray[np.float64]
Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]

_UNIT_ROUNDOFF = 2.0**-24  # unit round-off of float32
_UNDERFLOW = 2.0**-126  # each product may lose this much below the normal range
_ROOM = 3  # times k (and a little): rows kept a query before the worse ones are dropped
_CROWD = 2  # times k: with more rows a query, the block's own k-th best score raises the limit first


def pair_distance(rows: Float32, query: Float32, metric: Metric, scratch: Float64 | None = None) -> Float64:
    """Canonical float64 distances (smaller is nearer) of rows float32[m, d] to query float32[d] or [m, d].

    l2: |x - q|^2. ip: -x.q. cosine: |x/|x| - q/|q||^2 / 2, which is 1 - cos without its cancellation between
    nearly parallel vectors; 1 where either is zero. `pair_error` bounds their rounding. Each pair is summed in the
    same order wherever it stands, so that equal vectors have equal distances. scratch: float64[m, d] to work in,
    for callers with many small calls.
    """
    wide = np.empty(rows.shape) if scratch is None else scratch
    wide[...] = rows
    other = query.astype(np.float64)
    if metric == "ip":
        return -np.asarray(np.vecdot(wide, other))
    if metric == "l2":
        wide -= other
        return np.asarray(np.vecdot(wide, wide))
    lengths, length = np.sqrt(np.vecdot(wide, wide)), np.sqrt(np.vecdot(other, other))
    directed = (lengths > 0) & (length > 0)
    wide /= np.where(lengths > 0, lengths, 1.0)[..., None]
    wide -= other / np.where(length > 0, length, 1.0)[..., None]
    return np.where(directed, np.vecdot(wide, wide) / 2, 1.0)


def pair_error(distance: Float64, rows: Float32, query: Float32, metric: Metric) -> Float64:
    """By how much a `pair_distance` may differ from the exact one: float64[m], for rows and query of its call.

    With e = (d + 4) 2^-53, of a sum of d terms and the few roundings of each (Higham, section 3.1): for l2 e times
    the distance itself; for ip e |x||q|; for cosine the difference s of the two unit vectors is off by e, so that
    s^2 / 2 is off by s e + e^2 / 2, besides its own sum.
    """
    unit: float = (rows.shape[-1] + 4) * 2.0**-53
    if metric == "l2":
        return unit * distance
    if metric == "cosine":
        return unit * (np.sqrt(2 * distance) + distance) + unit**2 / 2
    return np.asarray(unit * lengths_of(rows) * lengths_of(query))


def lengths_of(rows: Float32) -> Float64:
    """Euclidean lengths in float64, of the last axis."""
    wide = rows.astype(np.float64)
    return np.asarray(np.sqrt(np.vecdot(wide, wide)))


def take_rows(vectors: Float32, rows: Int64, out: Float32) -> Float32:
    """Copies rows of `vectors` to the head of `out`, and returns that."""
    # Rows are in range, and "raise", the default, would go through one more copy.
    return np.take(vectors, rows, axis=0, out=out[: len(rows)], mode="clip")


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

    def multiply(self, rows: Float32, out: Float32) -> tuple[Float32 | None, Float64]:
        """Writes the products with rows float32[b, d] to out float32[g, b].

        Returns what to subtract from each column for scores (float32[b], or None), and the error bound
        float64[g] of such a score. Raises ValueError for vectors whose products float32 cannot hold.
        """
        if self.metric == "cosine":
            rows = _unit_length(rows)
        elif self.centre is not None:
            rows = rows - self.centre
        with np.errstate(over="ignore"):  # refused below
            squares: Float32 = np.vecdot(rows, rows)
        longest = np.sqrt(float(squares.max()))
        if not max(longest, self.norms.max()) < LONGEST:
            raise ValueError(
                f"vectors longer than {LONGEST:.0e} overflow float32; divide vectors and queries by a constant"
            )
        np.matmul(self.queries, rows.T, out=out)
        return squares * np.float32(0.5) if self.metric == "l2" else None, self._error(longest, rows.shape[1])

    def _error(self, longest: float, dim: int) -> Float64:
        # 16 u covers the few roundings beside the two sums: centring or scaling, subtracting.
        length = longest * (1 + dim * _UNIT_ROUNDOFF)
        magnitude = (length + self.norms) ** 2 / 2 if self.metric == "l2" else length * self.norms
        error: Float64 = (1.1 * dim + 16) * _UNIT_ROUNDOFF * magnitude + 4 * dim * _UNDERFLOW
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
        shape = (len(queries), _ROOM * k + 64)
        self._scores = np.full(shape, -np.inf, dtype=np.float32)
        self._rows = np.zeros(shape, dtype=np.int64)
        self._filled = np.zeros(len(queries), dtype=np.int64)
        self._best = np.full(len(queries), -np.inf)  # the k-th best score, or a lower one
        self._error = np.zeros(len(queries))
        self._mask = np.empty(0, dtype=np.bool_)  # kept between blocks: a new one costs its page faults

    def offer(self, scores: Float32, rows: Int64 | int, shift: Float32 | None, error: Float64) -> None:
        """Takes scores float32[g, b] before their shift (-inf: not eligible), which are overwritten.

        rows: their b row numbers, or the first of b in sequence. shift, error: as of Scorer.multiply.
        """
        if shift is not None:
            scores -= shift
        np.maximum(self._error, error, out=self._error)
        width = scores.shape[1]
        if width >= self._k and np.isneginf(self._best).any():
            self._raise(scores)
        flat = self._promising(scores)
        if width >= self._k and len(flat) > _CROWD * self._k * len(scores):
            self._raise(scores)
            flat = self._promising(scores)
        query, column = np.divmod(flat, width)
        row = column + rows if isinstance(rows, int) else rows[column]
        self._add(query, row, scores.reshape(-1)[flat])

    def _promising(self, scores: Float32) -> Int64:
        if self._mask.size < scores.size:
            self._mask = np.empty(scores.size, dtype=np.bool_)
        mask = self._mask[: scores.size].reshape(scores.shape)
        return np.flatnonzero(np.greater(scores, self._limit()[:, None], out=mask))

    def _limit(self) -> Float32:
        # Both the row in question and the k-th best may be off by the error.
        limit = (self._best - 2 * self._error).astype(np.float32)
        return np.nextafter(limit, np.float32(-np.inf))

    def _raise(self, scores: Float32) -> None:
        place = scores.shape[1] - self._k
        np.maximum(self._best, np.partition(scores, place, axis=1)[:, place], out=self._best)

    def _add(self, query: Int64, row: Int64, score: Float32) -> None:
        counts = np.bincount(query, minlength=len(self._filled))
        room = self._scores.shape[1]
        if (self._filled + counts).max() > room:
            self._prune()
            keep = score > self._limit()[query]
            for crowded in np.flatnonzero(
                self._filled + np.bincount(query[keep], minlength=len(counts)) > room
            ).tolist():
                start, stop = np.searchsorted(query, (crowded, crowded + 1))
                new = start + np.flatnonzero(keep[start:stop])
                self._settle(crowded, row[new], score[new])
                keep[new] = False
            query, row, score = query[keep], row[keep], score[keep]
            counts = np.bincount(query, minlength=len(self._filled))
        self._store(query, row, score, counts)

    def _store(self, query: Int64, row: Int64, score: Float32, counts: Int64) -> None:
        # `query` ascends: each query's rows go behind those it has.
        start = np.arange(len(counts)) * self._scores.shape[1] + self._filled - np.cumsum(counts) + counts
        place = np.arange(len(query)) + np.repeat(start, counts)
        self._scores.reshape(-1)[place] = score
        self._rows.reshape(-1)[place] = row
        self._filled += counts

    def _prune(self) -> None:
        if self._filled.max() <= self._k:
            return
        self._raise(self._scores)
        flat = self._promising(self._scores)
        query = flat // self._scores.shape[1]
        row, score = self._rows.reshape(-1)[flat], self._scores.reshape(-1)[flat]
        self._scores.fill(-np.inf)
        self._filled.fill(0)
        self._store(query, row, score, np.bincount(query, minlength=len(self._filled)))

    def _settle(self, query: int, row: Int64, score: Float32) -> None:
        # More rows than there is room for that float32 cannot tell apart: ranked exactly now.
        filled = self._filled[query]
        row = np.concatenate([self._rows[query, :filled], row])
        score = np.concatenate([self._scores[query, :filled], score])
        distance = pair_distance(self._vectors[row], self._queries[query], self._metric)
        kept = np.sort(np.argsort(distance, kind="stable")[: self._k])
        self._scores[query], self._filled[query] = -np.inf, len(kept)
        self._scores[query, : len(kept)], self._rows[query, : len(kept)] = score[kept], row[kept]

    def nearest(self) -> tuple[Int64, Float64]:
        """Ids int64[g, k] padded with -1 and distances float64[g, k] padded with inf, nearest first."""
        self._prune()
        ids = np.full((len(self._queries), self._k), -1, dtype=np.int64)
        distances = np.full(ids.shape, np.inf)
        shape = (int(self._filled.max()), self._vectors.shape[1])
        rows, wide = np.empty(shape, dtype=np.float32), np.empty(shape)
        for query, filled in enumerate(self._filled.tolist()):
            row = self._rows[query, :filled]
            near = take_rows(self._vectors, row, rows)
            distance = pair_distance(near, self._queries[query], self._metric, wide[:filled])
            order = np.argsort(distance, kind="stable")[: self._k]  # rows ascend: ties go to the lower
            ids[query, : len(order)], distances[query, : len(order)] = row[order], distance[order]
        return ids, distances
