"""The oracle: filtered exact nearest neighbours, independent of every engine."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from engines.base import Column, Metric
from engines.filters import Filter, Mask, matches
from harness.progress import Progress, silent
from harness.scan import Collector, Float32, Float64, Int64, Scorer, pair_distance

_BLOCK_BYTES = 16 << 20
_QUERY_BLOCK = 1024
_GATHER_COST = 64  # copying a row out costs about as much as multiplying it with this many queries
_QUANTUM = 1 << 34  # multiply-adds between two reports of progress, a fraction of a second


@dataclass(frozen=True, slots=True)
class Truth:
    """The exact answer to q queries.

    ids: int64[q, k], nearest first, ties by lower id, padded with -1. distances: float64[q, k] in the
    canonical form (smaller is nearer: l2 the squared Euclidean distance, ip -x.q, cosine 1 - cos), padded
    with inf.
    matches: int64[q], how many items match the query's filter.
    """

    k: int
    ids: Int64
    distances: Float64
    matches: Int64


@dataclass(frozen=True, slots=True)
class _Group:
    """Queries that share a filter, and the rows eligible for them (None: all)."""

    queries: Int64
    mask: Mask | None


def exact_neighbours(  # noqa: PLR0917 (the data, then what restricts them)
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

    filters: one (or None) a query, over `columns`. alive: bool[n], rows that count; None: all. Both values
    must be finite. Beside the arguments and the result, memory stays within a few `block_bytes` and one
    bool[n] per distinct wide filter of a pass. Raises KeyError for a filter on a missing column.
    """
    truth = Truth(
        k,
        np.full((len(queries), k), -1, dtype=np.int64),
        np.full((len(queries), k), np.inf),
        np.zeros(len(queries), dtype=np.int64),
    )
    work = _Work(vectors, queries, metric, truth, block_bytes, _centre(vectors, metric))
    threads = len(os.sched_getaffinity(0))
    with ThreadPoolExecutor(threads) as pool:
        wide: list[_Group] = []
        for group in _groups(len(queries), len(vectors), filters, columns or {}, alive):
            count = len(vectors) if group.mask is None else int(np.count_nonzero(group.mask))
            truth.matches[group.queries] = count
            if count == 0:
                continue
            if group.mask is not None and count * (len(group.queries) + _GATHER_COST) < len(vectors) * len(
                group.queries
            ):
                work.gather(group)
            else:
                wide.append(group)
        for batch in _batches(wide, len(vectors)):
            work.stream(batch, pool, threads, progress)
    return truth


def distinct(filters: Sequence[Filter | None]) -> tuple[list[Filter | None], Int64]:
    """The different filters, in order of appearance, and int64[q]: which of them each query has.

    Filters are told apart by their text, for Eq("x", 1) == Eq("x", True) although they differ in meaning.
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
) -> Iterator[_Group]:
    if rows == 0:
        return
    wanted, numbers = distinct(filters if filters is not None else [None] * count)
    for number, where in enumerate(wanted):
        mask = alive
        if where is not None:
            mask = matches(where, columns, rows)
            if alive is not None:
                mask &= alive
        yield _Group(np.flatnonzero(numbers == number), mask)


def _batches(groups: list[_Group], rows: int) -> Iterator[list[_Group]]:
    # Queries that stream over all rows do so together, at most _QUERY_BLOCK at a time.
    batch: list[_Group] = []
    room = _QUERY_BLOCK
    for group in groups:
        queries = group.queries
        while len(queries):
            batch.append(_Group(queries[:room], group.mask))
            queries = queries[room:]
            room -= len(batch[-1].queries)
            if room == 0:
                yield batch
                batch, room = [], _QUERY_BLOCK
    if batch:
        yield batch


def _centre(vectors: Float32, metric: Metric) -> Float32 | None:
    # Worth a copy of every block only if the rows lie far from the origin compared with their spread.
    if metric != "l2" or len(vectors) == 0:
        return None
    sample = np.asarray(vectors[:: max(1, len(vectors) // 1000)], dtype=np.float64)
    mean = sample.mean(axis=0)
    spread = np.square(sample - mean).sum(axis=1).mean()
    return mean.astype(np.float32) if np.square(mean).sum() > 10 * spread else None


@dataclass(frozen=True, slots=True)
class _Work:
    vectors: Float32
    queries: Float32
    metric: Metric
    truth: Truth
    block_bytes: int
    centre: Float32 | None

    def _block_rows(self, queries: int) -> int:
        widest: int = max(queries, self.vectors.shape[1])
        return max(1, self.block_bytes // (4 * widest))

    def gather(self, group: _Group) -> None:
        """Answers a group whose filter is selective: its rows are copied out, block by block."""
        assert group.mask is not None
        rows = np.flatnonzero(group.mask)
        for start in range(0, len(group.queries), _QUERY_BLOCK):
            members = group.queries[start : start + _QUERY_BLOCK]
            queries = self.queries[members]
            scorer = Scorer.of(queries, self.metric, self.centre)
            collector = Collector(self.vectors, queries, self.truth.k, self.metric)
            step = self._block_rows(len(members))
            for first in range(0, len(rows), step):
                block = rows[first : first + step]
                scores = np.empty((len(members), len(block)), dtype=np.float32)
                error = scorer.scores(self.vectors[block], scores)
                collector.offer(scores, block, error)
            self.truth.ids[members], self.truth.distances[members] = collector.nearest()

    def stream(
        self, groups: list[_Group], pool: ThreadPoolExecutor, threads: int, progress: Progress
    ) -> None:
        """Answers groups whose filters are wide (or none): all rows pass by once for all of them."""
        members = np.concatenate([group.queries for group in groups])
        queries = self.queries[members]
        scorer = Scorer.of(queries, self.metric, self.centre)
        bounds = np.linspace(0, len(members), threads + 1).astype(int).tolist()
        shares = [slice(a, z) for a, z in itertools.pairwise(bounds) if z > a]
        collectors = [Collector(self.vectors, queries[share], self.truth.k, self.metric) for share in shares]
        total, step = len(self.vectors), self._block_rows(len(members))
        buffer = np.empty(len(members) * min(step, total), dtype=np.float32)
        for first in range(0, total, step):
            block = self.vectors[first : first + step]
            scores = buffer[: len(members) * len(block)].reshape(len(members), len(block))
            error = scorer.scores(block, scores)
            _exclude(scores, groups, first)
            jobs = [
                pool.submit(collector.offer, scores[share], first, error[share])
                for collector, share in zip(collectors, shares, strict=True)
            ]
            for job in jobs:
                job.result()
            progress("exact neighbours", first + len(block), total)
        for share, (ids, distances) in zip(shares, pool.map(Collector.nearest, collectors), strict=True):
            self.truth.ids[members[share]], self.truth.distances[members[share]] = ids, distances


def _exclude(scores: Float32, groups: list[_Group], first: int) -> None:
    start = 0
    for group in groups:
        stop = start + len(group.queries)
        if group.mask is not None:
            np.copyto(scores[start:stop], -np.inf, where=~group.mask[first : first + scores.shape[1]])
        start = stop


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
