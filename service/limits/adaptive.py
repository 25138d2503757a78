"""How many requests are worked on at once: as many as are answered in time, found out while serving.

The limit grows by one and shrinks by a factor, which is stable and fair (Chiu and Jain, Analysis of the increase and
decrease algorithms for congestion avoidance in computer networks, 1989). What counts as congestion is an absolute
latency, not one relative to the least that was seen: requests differ by nature (an exact search takes many times as
long as an approximate one), and a least latency that is forgotten under lasting load drifts upwards with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["begin", "wait", "shed"]


@dataclass(frozen=True, slots=True)
class LimitOptions:
    """target_s: work that takes longer was slow. tolerated: the share of slow work that is no sign of congestion.

    first, least, most: the limit at the start and its bounds. shrink: what it is multiplied by on congestion. queue:
    how many may wait for a place, and patience_s how long; longer queues would only make answers late.
    """

    target_s: float = 0.1
    tolerated: float = 0.1
    first: int = 8
    least: int = 1
    most: int = 256
    shrink: float = 0.7
    queue: int = 64
    patience_s: float = 0.1


@dataclass(frozen=True, slots=True)
class Due:
    """Tickets that waited: those that begin now, and those that are shed because they waited too long."""

    begin: tuple[int, ...]
    shed: tuple[int, ...]


class AdaptiveLimit:
    """Places for requests, and a short queue before them, oldest first. All times in seconds of one clock."""

    def __init__(self, options: LimitOptions) -> None:
        self.options = options
        self._limit = float(min(max(options.first, options.least), options.most))
        self._busy: dict[int, float] = {}  # ticket -> when it began
        # ticket -> since when and until when it waits, in the order of arrival
        self._waiting: dict[int, tuple[float, float]] = {}
        self._tickets = 0
        self._shrunk_s = float("-inf")
        self._done = self._slow = 0  # since the limit was last looked at
        self._full = False  # every place was taken meanwhile

    @property
    def limit(self) -> int:
        """How many may be worked on at once."""
        return int(self._limit)

    @property
    def busy(self) -> int:
        """How many are worked on."""
        return len(self._busy)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def full(self, now_s: float) -> bool:
        """Whether one that arrives now would be shed: the queue is as long as may be, or moves so slowly that who waits
        longest has used up half of the patience. One more would hardly come to its turn, and cost the others time.
        """
        if not self._waiting:
            return self.options.queue == 0 and self.busy >= self.limit
        since_s, _ = next(iter(self._waiting.values()))
        return self.waiting >= self.options.queue or now_s - since_s > self.options.patience_s / 2

    def arrive(self, now_s: float, until_s: float = float("inf")) -> tuple[int, Verdict]:
        """A ticket, and what becomes of it. until_s: when its answer would be too late, so that waiting is no use."""
        self._tickets += 1
        ticket = self._tickets
        if not self._waiting and self.busy < self.limit:
            self._begin(ticket, now_s)
            return ticket, "begin"
        self._full = True
        if self.full(now_s):
            return ticket, "shed"
        self._waiting[ticket] = now_s, min(now_s + self.options.patience_s, until_s)
        return ticket, "wait"

    def finish(self, ticket: int, now_s: float) -> None:
        """The work for a ticket has ended, well or not. `due` says who begins instead."""
        began_s = self._busy.pop(ticket)
        if began_s < self._shrunk_s:
            return  # it began under the limit before, and says nothing about this one
        self._done += 1
        self._slow += now_s - began_s > self.options.target_s
        self._adapt(now_s)

    def leave(self, ticket: int) -> None:
        """A ticket whose work has not begun is given up, also one that was just given a place."""
        self._waiting.pop(ticket, None)
        self._busy.pop(ticket, None)

    def due(self, now_s: float) -> Due:
        """Who of those that wait begins now, and who has waited too long."""
        shed = tuple(ticket for ticket, (_, until_s) in self._waiting.items() if until_s <= now_s)
        for ticket in shed:
            del self._waiting[ticket]
        begin = tuple(self._waiting)[: max(0, self.limit - self.busy)]
        for ticket in begin:
            del self._waiting[ticket]
            self._begin(ticket, now_s)
        return Due(begin, shed)

    def _begin(self, ticket: int, now_s: float) -> None:
        self._busy[ticket] = now_s
        self._full = self._full or self.busy >= self.limit

    def _adapt(self, now_s: float) -> None:
        options, enough = self.options, max(10, self.limit)
        if self._slow > options.tolerated * enough:  # at once: the rest would be as slow
            self._limit = max(options.least, self._limit * options.shrink)
            self._shrunk_s = now_s
        elif self._done < enough:
            return
        elif self._full:  # a limit that nothing reaches would grow without ever being tried
            self._limit = min(options.most, self._limit + 1)
        self._done = self._slow = 0
        self._full = False
