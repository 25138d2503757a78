"""Samples of a window, and their judgement."""

import numpy as np

from harness.results.judging import Judged
from harness.results.samples import Samples

MS = 1_000_000


def samples(latency_ms, *, status=None, lateness_ms=0.0, every_ms=1.0):
    """Requests due `every_ms`, each sent `lateness_ms` late and done `latency_ms` after it was due."""
    latency = (np.asarray(latency_ms, dtype=np.float64) * MS).astype(np.int64)
    n = len(latency)
    scheduled = 10**15 + (np.arange(n) * every_ms * MS).astype(np.int64)
    zero = np.zeros(n, dtype=np.int64)
    return Samples(
        scheduled_ns=scheduled,
        sent_ns=scheduled + int(lateness_ms * MS),
        done_ns=scheduled + latency,
        query=zero,
        client=zero,
        status=zero if status is None else np.asarray(status, dtype=np.int64),
        ids=np.full((n, 1), -1, dtype=np.int64),
        lengths=zero,
    )


def judged(n, recall=1.0):
    zero, no = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.bool_)
    return Judged(np.full(n, recall), zero, zero, zero, zero, no, no, no, no)
