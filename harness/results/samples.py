"""Samples: one row a request, columnar, kept whole from the load loop to the report."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

OK, ERROR, TIMEOUT = 0, 1, 2

Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Samples:
    """n requests of one measured window; no request that was due is missing.

    scheduled_ns, sent_ns, done_ns: int64[n] on the `perf_counter_ns` clock (one clock for all processes of
    a machine). latency = done - scheduled, service time = done - sent. A request given up on has status
    TIMEOUT and done_ns = when it was given up: a lower bound.
    query: int64[n], index into the workload. client: int64[n]. status: int64[n].
    ids: int64[n, k], padded with -1 where fewer than k hits came back. lengths: int64[n], hits returned.
    errors: the distinct error texts with their counts.
    """

    scheduled_ns: Int64
    sent_ns: Int64
    done_ns: Int64
    query: Int64
    client: Int64
    status: Int64
    ids: Int64
    lengths: Int64
    errors: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.done_ns)

    @property
    def latency_ns(self) -> Int64:
        return self.done_ns - self.scheduled_ns

    @property
    def service_time_ns(self) -> Int64:
        return self.done_ns - self.sent_ns

    @property
    def lateness_ns(self) -> Int64:
        """How late each request left the client: our own fault, never the engine's."""
        return self.sent_ns - self.scheduled_ns


def concatenate(parts: list[Samples]) -> Samples:
    """All samples of several clients, ordered by the scheduled time."""
    errors: dict[str, int] = {}
    for part in parts:
        for text, count in part.errors.items():
            errors[text] = errors.get(text, 0) + count
    order = np.argsort(np.concatenate([part.scheduled_ns for part in parts]), kind="stable")
    names = ("scheduled_ns", "sent_ns", "done_ns", "query", "client", "status", "ids", "lengths")
    columns: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])[order] for name in names
    }
    return Samples(**columns, errors=errors)


def write_samples(path: Path, samples: Samples) -> None:
    """Writes one Parquet file, hits included. Raises OSError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    n, k = samples.ids.shape
    ids = pa.FixedSizeListArray.from_arrays(pa.array(samples.ids.reshape(-1)), k) if k else pa.nulls(n)
    names = ("scheduled_ns", "sent_ns", "done_ns", "query", "client", "status", "lengths")
    table = pa.table({**{name: getattr(samples, name) for name in names}, "ids": ids})
    pq.write_table(table, path, compression="zstd")
