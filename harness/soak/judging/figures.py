"""What samples come to: totals, and a line of them over time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.results.summary import percentile_ms
from harness.soak.load.plan import KINDS, READS
from harness.soak.load.samples import ANSWERED, CUT, OUTCOMES, Rows

_WINDOWS = 60
_READ_CODES = [KINDS.index(name) for name in READS]
_PUT, _REMOVE = KINDS.index("put"), KINDS.index("remove")
Selection = npt.NDArray[np.bool_]


def reads(samples: Rows) -> Selection:
    """bool[n]: requests that ask."""
    asked: Selection = np.isin(samples["kind"], _READ_CODES)
    return asked


def totals(samples: Rows) -> dict[str, float | None]:
    """Figures of the whole load. Latencies in ms, from when a request was due, of all requests that were not cut off.

    searchable: of listings that were put, until they were searchable. looked_for: removals that were acknowledged as
    searchable, whose listings may not be served any more. A percentile is None where fewer than 10 samples lie beyond.
    """
    took_ns = samples["done_ns"] - samples["due_ns"]
    whole, asked = samples["outcome"] != CUT, reads(samples)
    put = whole & (samples["kind"] == _PUT)
    answered = samples["outcome"] == ANSWERED
    found: dict[str, float | None] = {
        "stale": float(samples["stale"].sum()),
        "crossing": float(samples["crossing"].sum()),
        "unmet": float(samples["unmet"].sum()),
        "hits": float(samples["hits"].sum()),
        "looked_for": float(np.sum(answered & (samples["kind"] == _REMOVE))),
        "unanswered_share": float((~answered).sum()) / len(samples) if len(samples) else None,
    }
    for name, chosen in (("read", whole & asked), ("searchable", put)):
        for share, label in ((0.5, "p50"), (0.99, "p99"), (0.999, "p999")):
            found[f"{name}_{label}_ms"], _ = percentile_ms(took_ns[chosen], share)
        found[f"{name}_max_ms"] = float(took_ns[chosen].max()) / 1e6 if chosen.any() else None
    late_ns = samples["sent_ns"] - samples["due_ns"]
    found["sent_late_p99_ms"], _ = percentile_ms(late_ns, 0.99)
    return found


def over_time(samples: Rows, seconds: float) -> list[dict[str, float | None]]:
    """The same for windows of equal length, at most 60 and none shorter than a second, by when requests were due.

    at_s: the middle of a window. A window's percentiles are of few samples: they show a course, not a figure.
    """
    count = max(1, min(_WINDOWS, math.floor(seconds)))
    length_s = seconds / count
    window = np.minimum(samples["due_ns"] / 1e9 / length_s, count - 1).astype(np.int64)
    took_ms = (samples["done_ns"] - samples["due_ns"]) / 1e6
    asked, whole = reads(samples), samples["outcome"] != CUT
    answered, put = samples["outcome"] == ANSWERED, samples["kind"] == _PUT
    course = []
    for at in range(count):
        here = window == at
        line: dict[str, float | None] = {
            "at_s": (at + 0.5) * length_s,
            "due_per_s": float(here.sum()) / length_s,
            "answered_per_s": float((here & answered).sum()) / length_s,
            "failed": float((here & ~answered).sum()),
            "stale": float(samples["stale"][here].sum()),
            "unmet": float(samples["unmet"][here].sum()),
        }
        for name, chosen in (("read", here & whole & asked), ("put", here & whole & put)):
            for share, label in ((0.5, "p50"), (0.9, "p90"), (1.0, "max")):
                line[f"{name}_{label}_ms"] = _rank(took_ms[chosen], share)
        course.append(line)
    return course


def by_kind(samples: Rows) -> list[dict[str, Any]]:
    """A line for each kind of request: how many, what became of them, latency in ms."""
    took_ns = samples["done_ns"] - samples["due_ns"]
    lines = []
    for code, name in enumerate(KINDS):
        own = samples["kind"] == code
        outcomes = np.bincount(samples["outcome"][own], minlength=len(OUTCOMES)).tolist()
        line: dict[str, Any] = {
            "kind": name,
            "count": int(own.sum()),
            **dict(zip(OUTCOMES, outcomes, strict=True)),
        }
        for share, label in ((0.5, "p50"), (0.99, "p99")):
            line[f"{label}_ms"], _ = percentile_ms(took_ns[own & (samples["outcome"] != CUT)], share)
        lines.append(line)
    return lines


def _rank(values: npt.NDArray[np.float64], share: float) -> float | None:
    """The value of the nearest rank; None of no values."""
    if not len(values):
        return None
    rank = max(1, math.ceil(round(len(values) * share, 6)))
    return float(np.partition(values, rank - 1)[rank - 1])
