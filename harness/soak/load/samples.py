"""A row for each request of a load."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

# What became of a request. Only the first is as it should be.
ANSWERED = 0  # as asked for
FALLBACK = 1  # answered, by popular listings in place of the nearest
REFUSED = 2  # 503 or 429: too much was asked, nothing was done
LATE = 3  # 504, or a write that was not searchable in time (202)
WRONG = 4  # another status, or no answer that can be read
LOST = 5  # the connection broke or nobody answered in time: what became of it is not known
CUT = 6  # the load was ended while it was under way
OUTCOMES = ("answered", "fallback", "refused", "late", "wrong", "lost", "cut")

# due, sent, done: ns after the start of the load on the clock of the worker. kind: a place in plan.KINDS. hits: how
# many came. stale: of them, sold for longer than the grace when the request was sent; crossing: only when the answer
# was there. unmet: outside the filter. listing: the number of the one that was written, -1 for reads. worker: from 0.
ROW = np.dtype(
    [
        ("due_ns", "<i8"),
        ("sent_ns", "<i8"),
        ("done_ns", "<i8"),
        ("kind", "u1"),
        ("outcome", "u1"),
        ("status", "<i2"),
        ("hits", "<u2"),
        ("stale", "<u2"),
        ("crossing", "<u2"),
        ("unmet", "<u2"),
        ("listing", "<i8"),
        ("worker", "<u2"),
    ]
)
Rows = npt.NDArray[Any]


def rows(of: list[tuple[int, ...]]) -> Rows:
    """Rows of tuples in the order of ROW."""
    return np.array(of, ROW)


def from_bytes(data: bytes) -> Rows:
    """The rows of what `Rows.tobytes` gave on another machine. Raises ValueError where it is cut off."""
    return np.frombuffer(data, ROW)


def acknowledged(samples: Rows) -> npt.NDArray[np.bool_]:
    """bool[n]: writes that the service said are durable, whether searchable in time (200) or not (202)."""
    acked: npt.NDArray[np.bool_] = (samples["listing"] >= 0) & np.isin(samples["status"], (200, 202))
    return acked
