"""How much faster repeated queries are: engines and servers may remember answers."""

from __future__ import annotations

from time import perf_counter_ns

import numpy as np

from engines.base import Engine, Vectors
from engines.filters import Filter
from harness.data.workload import Workload
from harness.load.answers import read_column
from harness.load.clients import quiet_interpreter

BLOCK = 25  # queries that are asked and then asked again: fewer than any cache of answers holds
_LEAST = 3  # blocks at least: one disturbance could move the median of fewer to any value


def repeat_gain(
    engine: Engine, fresh: Workload, *, limit_s: float = 1.0, block: int = BLOCK
) -> tuple[float | None, int]:
    """How many times as fast queries are when they are asked a second time, and over how many queries.

    fresh: queries that nobody has asked before, in blocks: each block is asked once, then once more in the same order.
    The ratio is the median over the blocks of the time of the first round to that of the second, so that what warms up
    or is disturbed meanwhile hardly counts. 1 where nothing is remembered; somewhat more where an engine finds what it
    has just read in a processor's cache. None where there is no whole block, or less time than one takes.
    Exceptions of the engine are raised.
    """
    deadline_ns = perf_counter_ns() + int(limit_s * 1e9)
    ratios: list[float] = []
    vectors = np.array(fresh.queries, dtype=np.float32, order="C")
    vectors.flags.writeable = False
    with quiet_interpreter():
        for first in range(0, len(vectors) - block + 1, block):
            if len(ratios) >= _LEAST and perf_counter_ns() > deadline_ns:
                break
            rows = slice(first, first + block)
            queries = list(zip(vectors[rows], fresh.filters[rows], strict=True))
            once_ns, again_ns = _time_ns(engine, queries, fresh.k), _time_ns(engine, queries, fresh.k)
            ratios.append(once_ns / max(1, again_ns))
    return (float(np.median(ratios)) if ratios else None), len(ratios) * block


def _time_ns(engine: Engine, queries: list[tuple[Vectors, Filter | None]], k: int) -> int:
    query, clock = engine.query, perf_counter_ns
    start_ns = clock()
    for vector, where in queries:
        hits = query(vector, k, where)
        read_column(hits.ids)
        read_column(hits.scores)
    return clock() - start_ns
