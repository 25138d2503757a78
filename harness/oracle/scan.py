"""How the oracle passes over the rows: streamed for many queries, or copied out for those of one filter."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import numpy as np

from engines.base import Metric
from engines.filters import Mask
from harness.oracle.candidates import Collector, Float32, Float64, Int64, Scorer, take_rows
from harness.progress import Progress

_QUERIES_AT_ONCE = 512  # a task's: more would crowd the caches with candidates
_COPY_COST = 64  # copying a row out takes about as long as multiplying it with this many queries
_REPORT_S = 0.25  # between two reports of progress


@dataclass(frozen=True, slots=True)
class QueryGroup:
    """Queries (int64[g], numbers) that share a filter, the rows eligible for them (None: all), how many."""

    queries: Int64
    mask: Mask | None
    count: int

    @property
    def is_narrow(self) -> bool:
        """Whether copying the eligible rows out is cheaper than multiplying with all of them."""
        members = len(self.queries)
        return self.mask is not None and self.count * (members + _COPY_COST) < len(self.mask) * members


# Queries, and the rows to copy out for them (None: all rows are streamed).
ScanStep = tuple[list[QueryGroup], Int64 | None]


@dataclass(slots=True)
class Scan:
    """Fills ids int64[q, k] and distances float64[q, k] for groups of queries over vectors float32[n, d].

    Every task of the pool handles some queries over all their rows on its own, and waits for no other.
    """

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
    _finished: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Decides whether to move the origin."""
        self.centre = _centre(self.vectors, self.metric)

    def gather(self, groups: list[QueryGroup]) -> None:
        """Answers groups whose filters let few rows through: those are copied out, block by block."""
        tasks: list[ScanStep] = []
        for group in groups:
            assert group.mask is not None
            rows = np.flatnonzero(group.mask)
            tasks += [(batch, rows) for batch in _batches([group], _QUERIES_AT_ONCE) if len(rows)]
        self._run(tasks)

    def stream(self, groups: list[QueryGroup]) -> None:
        """Answers groups whose filters are wide (or none): all rows are streamed once for all of them."""
        total = sum(len(group.queries) for group in groups)
        tasks = self.threads * math.ceil(total / (self.threads * _QUERIES_AT_ONCE))
        self._run([(batch, None) for batch in _batches(groups, math.ceil(total / max(1, tasks)))])

    def _run(self, tasks: list[ScanStep]) -> None:
        done = [0.0] * len(tasks)  # queries' worth, each written by its task alone
        jobs = [self.pool.submit(self._answer, *task, done, number) for number, task in enumerate(tasks)]
        pending = set(jobs)
        try:
            while pending:
                finished, pending = wait(pending, _REPORT_S, FIRST_EXCEPTION)
                for job in finished:
                    job.result()
                self.progress("exact neighbours", self._finished + sum(done), len(self.queries))
        finally:
            for job in pending:
                job.cancel()
        self._finished += sum(done)

    def _answer(self, groups: list[QueryGroup], rows: Int64 | None, done: list[float], number: int) -> None:
        members = np.concatenate([group.queries for group in groups])
        queries = self.queries[members]
        scorer = Scorer.of(queries, self.metric, self.centre)
        collector = Collector(self.vectors, queries, self.ids.shape[1], self.metric)
        total = len(self.vectors if rows is None else rows)
        step = min(total, max(1, self.block_bytes // (4 * max(queries.shape))))
        buffer = np.empty(len(members) * step, dtype=np.float32)
        copies = np.empty((0 if rows is None else step, self.vectors.shape[1]), dtype=np.float32)
        for first in range(0, total, step):
            part = slice(first, first + step)
            block = self.vectors[part] if rows is None else take_rows(self.vectors, rows[part], copies)
            products = buffer[: len(members) * len(block)].reshape(len(members), len(block))
            shift, error = scorer.multiply(block, products)
            if rows is None:
                _exclude(products, groups, first)
            collector.offer(products, first if rows is None else rows[part], shift, error)
            done[number] = len(members) * (first + len(block)) / total
        self.ids[members], self.distances[members] = collector.nearest()


def _batches(groups: list[QueryGroup], size: int) -> Iterator[list[QueryGroup]]:
    batch: list[QueryGroup] = []
    room = size
    for group in groups:
        queries = group.queries
        while len(queries):
            batch.append(QueryGroup(queries[:room], group.mask, group.count))
            queries = queries[room:]
            room -= len(batch[-1].queries)
            if room == 0:
                yield batch
                batch, room = [], size
    if batch:
        yield batch


def _exclude(products: Float32, groups: list[QueryGroup], first: int) -> None:
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
    sample = np.asarray(vectors[:: max(1, len(vectors) // 256)], dtype=np.float64)
    mean = sample.mean(axis=0)
    spread = np.square(sample - mean).sum(axis=1).mean()
    return mean.astype(np.float32) if np.square(mean).sum() > 10 * spread else None
