"""The oracle: filtered exact nearest neighbours, independent of every engine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from engines.base import Metric
from engines.columns import Column
from engines.filters import Filter, Mask, matches
from harness.oracle.candidates import Float32, Float64, Int64, pair_distance
from harness.oracle.scan import QueryGroup, Scan
from harness.progress import Progress, silent

_BLOCK_BYTES = 4 << 20
_WIDE_AT_ONCE = 128  # filters whose masks are held at a time
_NARROW_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Truth:
    """The exact answer to q queries.

    ids: int64[q, k], nearest first, ties by lower id, padded with -1. distances: float64[q, k] in the
    canonical form (smaller is nearer: l2 the squared Euclidean distance, ip -x.q, cosine 1 - cos), padded with inf.
    matches: int64[q], how many items match the query's filter.
    """

    k: int
    ids: Int64
    distances: Float64
    matches: Int64

    def take(self, queries: Int64) -> Truth:
        """The answers to these queries only, by their numbers."""
        return Truth(self.k, self.ids[queries], self.distances[queries], self.matches[queries])


def exact_neighbours(  # noqa: PLR0917 - the data, then what restricts them
    vectors: Float32,
    queries: Float32,
    k: int,
    metric: Metric,
    filters: Sequence[Filter | None] | None = None,
    columns: Mapping[str, Column] | None = None,
    alive: Mask | None = None,
    *,
    block_bytes: int = _BLOCK_BYTES,
    progress: Progress = silent,
) -> Truth:
    """The k exact nearest of vectors float32[n, d] (memory-mapped or not) for queries float32[q, d].

    filters: one (or None) a query, over `columns`. alive: bool[n], rows that count; None: all. All values
    must be finite. Beside the arguments and the result, memory stays within a few `block_bytes`, the
    candidates (512 x 3 k a thread) and a bool[n] for each of up to 128 filters. Progress counts
    queries. Raises KeyError for a filter on a missing column, ValueError for vectors too long for float32.
    """
    truth = Truth(
        k,
        np.full((len(queries), k), -1, dtype=np.int64),
        np.full((len(queries), k), np.inf),
        np.zeros(len(queries), dtype=np.int64),
    )
    vectors = np.asarray(vectors)  # np.memmap's own indexing is slow
    threads = len(os.sched_getaffinity(0))
    # OpenBLAS has one pool for the process: products asked for by several threads would wait for each other, and its
    # idle threads spin for tens of milliseconds.
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(threads) as pool:
        scan = Scan(
            vectors, queries, metric, truth.ids, truth.distances, block_bytes, pool, threads, progress
        )
        wide: list[QueryGroup] = []
        narrow: list[QueryGroup] = []
        for group in _groups(len(queries), len(vectors), filters, columns or {}, alive):
            truth.matches[group.queries] = group.count
            (narrow if group.is_narrow else wide).append(group)
            if len(narrow) == _NARROW_AT_ONCE:
                scan.gather(narrow)
                narrow = []
            if len(wide) == _WIDE_AT_ONCE:
                scan.stream(wide)
                wide = []
        scan.gather(narrow)
        scan.stream(wide)
    progress("exact neighbours", len(queries), len(queries))
    return truth


def distinct(filters: Sequence[Filter | None]) -> tuple[list[Filter | None], Int64]:
    """The different filters, in order of appearance, and int64[q]: which of them each query has.

    Filters are compared by their text, for Eq("x", 1) == Eq("x", True) although they differ in meaning.
    """
    by_text: dict[str, int] = {}
    by_identity: dict[int, int] = {}  # writing a filter out is slow, and most queries share theirs
    different: list[Filter | None] = []
    for where in filters:
        if id(where) not in by_identity:
            number = by_text.setdefault(repr(where), len(different))
            if number == len(different):
                different.append(where)
            by_identity[id(where)] = number
    return different, np.array([by_identity[id(where)] for where in filters], dtype=np.int64)


def _groups(
    count: int,
    rows: int,
    filters: Sequence[Filter | None] | None,
    columns: Mapping[str, Column],
    alive: Mask | None,
) -> Iterator[QueryGroup]:
    if rows == 0:
        return
    wanted, numbers = distinct(filters if filters is not None else [None] * count)
    for number, where in enumerate(wanted):
        mask = alive
        if where is not None:
            mask = matches(where, columns, rows)
            if alive is not None:
                mask &= alive
        yield QueryGroup(
            np.flatnonzero(numbers == number), mask, rows if mask is None else int(np.count_nonzero(mask))
        )


def pair_distances(
    vectors: Float32,
    queries: Float32,
    ids: Int64,
    query_index: Int64,
    metric: Metric,
    *,
    block_bytes: int = _BLOCK_BYTES,
) -> Float64:
    """Canonical float64 distances of returned hits.

    ids: int64[m] or int64[m, k], rows of `vectors`; -1 and every other id that is no row gives inf.
    query_index: int64[m], the query each (row of) `ids` answers. Returns float64 of the shape of `ids`.
    """
    flat = ids.reshape(-1)
    query = np.repeat(query_index, ids.shape[1]) if ids.ndim == 2 else query_index
    distances = np.full(flat.shape, np.inf)
    known = np.flatnonzero((flat >= 0) & (flat < len(vectors)))
    step = max(1, block_bytes // (8 * max(1, vectors.shape[1])))
    for first in range(0, len(known), step):
        part = known[first : first + step]
        distances[part] = pair_distance(vectors[flat[part]], queries[query[part]], metric)
    return distances.reshape(ids.shape)
