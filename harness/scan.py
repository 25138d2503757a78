"""How the oracle passes over the rows: streamed past many queries, or gathered for those of one filter."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from engines.base import Metric
from engines.filters import Mask
from harness.candidates import Collector, Float32, Float64, Int64, Scorer
from harness.progress import Progress

_QUERIES_AT_ONCE = 1024
_COPY_COST = 64  # copying a row out takes about as long as multiplying it with this many queries
_QUANTUM = 1 << 34  # multiply-adds between two reports of progress: a fraction of a second


@dataclass(frozen=True, slots=True)
class Group:
    """Queries (int64[g], numbers) that share a filter, the rows eligible for them (None: all), how many."""

    queries: Int64
    mask: Mask | None
    count: int

    @property
    def is_narrow(self) -> bool:
        """Whether copying the eligible rows out is cheaper than multiplying with all of them."""
        members = len(self.queries)
        return self.mask is not None and self.count * (members + _COPY_COST) < len(self.mask) * members


@dataclass(slots=True)
class Scan:
    """Fills ids int64[q, k] and distances float64[q, k] for groups of queries over vectors float32[n, d]."""

    vectors: Float32
    queries: Float32
    metric: Metric
    ids: Int64
    distances: Float64
    block_bytes: int
    pool: ThreadPoolExecutor
    threads: int
    progress: Progress
    centre: Float32 | None = field(init=False)
    _done: float = field(init=False, default=0.0)
    _unreported: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Decides whether to move the origin."""
        self.centre = _centre(self.vectors, self.metric)

    def gather(self, groups: list[Group]) -> None:
        """Answers groups whose filters let few rows through: those are copied out, block by block."""
        for group, _ in zip(groups, self.pool.map(self._gather, groups), strict=True):
            self._report(len(group.queries), len(group.queries) * group.count)

    def _gather(self, group: Group) -> None:
        if group.count == 0:
            return
        assert group.mask is not None
        rows = np.flatnonzero(group.mask)
        for start in range(0, len(group.queries), _QUERIES_AT_ONCE):
            members = group.queries[start : start + _QUERIES_AT_ONCE]
            scorer, collector = self._scorer(members), self._collector(members)
            step = self._block_rows(len(members))
            for first in range(0, len(rows), step):
                block = rows[first : first + step]
                products = np.empty((len(members), len(block)), dtype=np.float32)
                shift, error = scorer.multiply(self.vectors[block], products)
                collector.offer(products, block, shift, error)
            self.ids[members], self.distances[members] = collector.nearest()

    def stream(self, groups: list[Group]) -> None:
        """Answers groups whose filters are wide (or none): all rows pass by once for all of them."""
        for batch in _batches(groups):
            self._stream(batch)

    def _stream(self, groups: list[Group]) -> None:
        members = np.concatenate([group.queries for group in groups])
        bounds = np.linspace(0, len(members), min(self.threads, len(members)) + 1).astype(int).tolist()
        shares = [slice(a, z) for a, z in itertools.pairwise(bounds)]
        collectors = [self._collector(members[share]) for share in shares]
        scorer = self._scorer(members)
        total, step = len(self.vectors), self._block_rows(len(members))
        buffer = np.empty(len(members) * min(step, total), dtype=np.float32)
        for first in range(0, total, step):
            block = self.vectors[first : first + step]
            products = buffer[: len(members) * len(block)].reshape(len(members), len(block))
            shift, error = scorer.multiply(block, products)
            _exclude(products, groups, first)
            offers = [
                partial(collector.offer, products[share], first, shift, error[share])
                for collector, share in zip(collectors, shares, strict=True)
            ]
            jobs = [self.pool.submit(offer) for offer in offers[1:]]
            offers[0]()  # here: a hand-over less to wait for
            for job in jobs:
                job.result()
            self._report(len(members) * len(block) / total, len(members) * len(block))
        for share, nearest in zip(shares, self.pool.map(Collector.nearest, collectors), strict=True):
            self.ids[members[share]], self.distances[members[share]] = nearest

    def _scorer(self, members: Int64) -> Scorer:
        return Scorer.of(self.queries[members], self.metric, self.centre)

    def _collector(self, members: Int64) -> Collector:
        return Collector(self.vectors, self.queries[members], self.ids.shape[1], self.metric)

    def _block_rows(self, queries: int) -> int:
        widest: int = max(queries, self.vectors.shape[1])
        return max(1, self.block_bytes // (4 * widest))

    def _report(self, queries: float, pairs: int) -> None:
        self._done += queries
        self._unreported += pairs * self.vectors.shape[1]
        if self._unreported >= _QUANTUM:
            self._unreported = 0
            self.progress("exact neighbours", self._done, len(self.queries))


def _batches(groups: list[Group]) -> Iterator[list[Group]]:
    batch: list[Group] = []
    room = _QUERIES_AT_ONCE
    for group in groups:
        queries = group.queries
        while len(queries):
            batch.append(Group(queries[:room], group.mask, group.count))
            queries = queries[room:]
            room -= len(batch[-1].queries)
            if room == 0:
                yield batch
                batch, room = [], _QUERIES_AT_ONCE
    if batch:
        yield batch


def _exclude(products: Float32, groups: list[Group], first: int) -> None:
    start = 0
    for group in groups:
        stop = start + len(group.queries)
        if group.mask is not None:
            rows = group.mask[first : first + products.shape[1]]
            np.copyto(products[start:stop], -np.inf, where=~rows)
        start = stop


def _centre(vectors: Float32, metric: Metric) -> Float32 | None:
    # Far from the origin, compared with their spread, rows lose their differences to rounding. Moving the
    # origin costs a copy of every block, so only where it pays.
    if metric != "l2" or len(vectors) == 0:
        return None
    sample = np.asarray(vectors[:: max(1, len(vectors) // 1000)], dtype=np.float64)
    mean = sample.mean(axis=0)
    spread = np.square(sample - mean).sum(axis=1).mean()
    return mean.astype(np.float32) if np.square(mean).sum() > 10 * spread else None
