"""Judges answers while the load runs: is what was sold gone, and does each hit meet the filter that was asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

_RECENT = 64
_RELATIONS = {
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
}


class Judged(NamedTuple):
    """Counts of hits, as in `samples.ROW`."""

    hits: int
    stale: int
    crossing: int
    unmet: int


@dataclass
class Sales:
    """The listings of one worker: `on_sale` (oldest first) and when the removal of each sold one was acknowledged.

    recent: those sold last, for questions that are nearest to them. grace_ns: see `plan.Plan`.
    """

    grace_ns: int
    on_sale: deque[int] = field(default_factory=deque)
    sold_ns: dict[str, int] = field(default_factory=dict)
    recent: deque[int] = field(default_factory=lambda: deque(maxlen=_RECENT))

    def sold(self, number: int, key: str, acknowledged_ns: int) -> None:
        """The removal of a listing was acknowledged as searchable."""
        self.sold_ns[key] = acknowledged_ns
        self.recent.append(number)

    def judge(
        self, hits: Iterable[Mapping[str, Any]], where: Mapping[str, Any], sent_ns: int, done_ns: int
    ) -> Judged:
        """Of an answer to a request with the filter `where`. Raises KeyError where a hit has no id or attributes."""
        count = stale = crossing = unmet = 0
        for hit in hits:
            count += 1
            sold_ns = self.sold_ns.get(hit["id"])
            if sold_ns is not None:
                stale += sent_ns > sold_ns + self.grace_ns
                crossing += sent_ns <= sold_ns + self.grace_ns < done_ns
            unmet += not meets(hit["attributes"], where)
        return Judged(count, stale, crossing, unmet)


def meets(attributes: Mapping[str, Any], where: Mapping[str, Any]) -> bool:
    """Whether a listing meets a filter of equalities, ranges and absences. Written apart from what the service filters
    with, so that they do not share their mistakes. A missing attribute meets nothing but that it is missing.
    """
    return all(_meets(attributes.get(name), condition) for name, condition in where.items())


def _meets(value: Any, condition: Any) -> bool:
    if condition == {"exists": False}:
        return value is None or value == []
    if value is None:
        return False
    if isinstance(condition, Mapping):
        return all(_RELATIONS[relation](value, bound) for relation, bound in condition.items())
    return bool(condition in value if isinstance(value, list) else value == condition)
