"""How much faster repeated queries are: engines and servers may remember answers."""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter_ns

import numpy as np

from engines.base import Engine, Vectors
from engines.filters import Filter
from harness.data.queries.workload import Workload
from harness.load.answers import read_column
from harness.load.clients import quiet_interpreter
from harness.results.samples import OK, Int64, Samples

BLOCK = 25  # queries that are asked and then asked again: fewer than any cache of answers holds
_ROUNDS = 3  # a cache may keep only what was asked twice
_LEAST = 3  # blocks at least
_LEAST_QUERIES = 20  # asked again in a window, below which its ratio means nothing


def repeat_gain(
    engine: Engine, fresh: Workload, *, limit_s: float = 1.0, block: int = BLOCK
) -> tuple[float | None, int]:
    """How many times as fast queries are when they are asked again, and over how many queries.

    fresh: queries that nobody has asked before, in blocks: each block is asked once, then twice more in the same
    order. The ratio is the median time of a query's first round to that of its last, so that what warms up or is
    disturbed meanwhile hardly counts. 1 where nothing is remembered; somewhat more where an engine finds what it
    has just read in a processor's cache. None where there is no whole block, or less time than one takes.
    Exceptions of the engine are raised.
    """
    deadline_ns = perf_counter_ns() + int(limit_s * 1e9)
    first_ns: list[int] = []
    last_ns: list[int] = []
    vectors = np.array(fresh.queries, dtype=np.float32, order="C")
    vectors.flags.writeable = False
    with quiet_interpreter():
        for first in range(0, len(vectors) - block + 1, block):
            if len(first_ns) >= _LEAST * block and perf_counter_ns() > deadline_ns:
                break
            rows = slice(first, first + block)
            queries = list(zip(vectors[rows], fresh.filters[rows], strict=True))
            rounds = [_times_ns(engine, queries, fresh.k) for _ in range(_ROUNDS)]
            first_ns += rounds[0]
            last_ns += rounds[-1]
    return _ratio(first_ns, last_ns), len(first_ns)


def _times_ns(engine: Engine, queries: list[tuple[Vectors, Filter | None]], k: int) -> list[int]:
    query, clock = engine.query, perf_counter_ns
    times_ns = []
    for vector, where in queries:
        start_ns = clock()
        hits = query(vector, k, where)
        read_column(hits.ids)
        read_column(hits.scores)
        times_ns.append(clock() - start_ns)
    return times_ns


def gain_within(samples: Samples) -> float | None:
    """The same within a window: of the queries that were asked more than once, the median time of the first answers to
    that of the last ones. A cache that takes in only what was asked often shows here. None where they are too few.
    """
    answered = np.flatnonzero(samples.status == OK)
    answered = answered[np.argsort(samples.sent_ns[answered], kind="stable")]
    query, times_ns = samples.query[answered], samples.service_time_ns[answered]
    asked, first, count = np.unique(query, return_index=True, return_counts=True)
    _, from_end = np.unique(query[::-1], return_index=True)
    again = count > 1
    if np.count_nonzero(again) < min(_LEAST_QUERIES, len(asked)) or not again.any():
        return None
    return _ratio(times_ns[first[again]], times_ns[len(query) - 1 - from_end[again]])


def _ratio(first_ns: Sequence[int] | Int64, last_ns: Sequence[int] | Int64) -> float | None:
    return float(np.median(first_ns) / max(1.0, float(np.median(last_ns)))) if len(first_ns) else None
