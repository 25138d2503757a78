"""What the measurements of loading Elasticsearch and OpenSearch share."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from engines.base import Batch

# From the first request to the last answer, and up to the end of a refresh; the client's CPU time is its process'.
BULK_LABELS = ("written", "written and refreshed", "client CPU")


def load(engine: Any, vectors: np.ndarray) -> list[float]:
    """Seconds of each of BULK_LABELS; drops the collection."""
    start, cpu = time.perf_counter(), time.process_time()
    engine.index(Batch(np.arange(len(vectors)), vectors))
    written, cpu = time.perf_counter(), time.process_time() - cpu
    engine.refresh()
    refreshed = time.perf_counter()
    assert engine.count() == len(vectors)
    engine.drop()
    return [written - start, refreshed - start, cpu]
