"""What the service promises under load, and whether it kept it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

MOST_UNANSWERED = 0.001  # a share
MOST_SEARCHABLE_MS = 100.0


@dataclass(frozen=True, slots=True)
class Promise:
    """value may be at most `limit`, or at least it where `least`. value: None where it could not be judged, `note` why.

    unit: "" for counts, "share" for shares of 1, or ms.
    """

    name: str
    what: str
    value: float | None
    limit: float
    unit: str = ""
    least: bool = False
    note: str = ""

    @property
    def kept(self) -> bool | None:
        """None: not judged."""
        if self.value is None:
            return None
        return self.value >= self.limit if self.least else self.value <= self.limit


def judge(
    totals: Mapping[str, float | None], counts: Mapping[str, int], after: Mapping[str, float | None]
) -> list[Promise]:
    """Every promise. totals: `figures.totals`; counts: `counting.count`; after: `afterwards.Findings` as a mapping."""
    looked_for = totals["looked_for"]
    nothing_sold = "" if looked_for else "no removal was acknowledged"
    few = "" if totals["searchable_p99_ms"] is not None else "takes 1,000 listings put"
    return [
        Promise(
            "stale",
            "Hits that were sold, their removal acknowledged as searchable 100 ms before they were asked for",
            totals["stale"] if looked_for else None,
            0,
            note=nothing_sold,
        ),
        Promise(
            "unmet", "Hits outside the filter that was asked", totals["unmet"] if totals["hits"] else None, 0
        ),
        Promise(
            "searchable_p99_ms",
            "Until a new listing was searchable, P99, from when it was due",
            totals["searchable_p99_ms"],
            MOST_SEARCHABLE_MS,
            "ms",
            note=few,
        ),
        Promise(
            "unanswered_share",
            "Requests that were not answered as asked: refused, late, wrong, lost, or by the fallback",
            totals["unanswered_share"],
            MOST_UNANSWERED,
            "share",
        ),
        Promise("not_sent", "Requests that were due and not sent", counts["not_sent"], 0),
        Promise(
            "lost_rows", "Requests that were due and of which nothing is known", abs(counts["lost_rows"]), 0
        ),
        Promise(
            "lost_writes",
            "Acknowledged writes that the catalogue does not hold afterwards",
            after["lost_writes"],
            0,
        ),
        Promise(
            "differences", "Listings in which index and catalogue differ afterwards", after["differences"], 0
        ),
    ]
