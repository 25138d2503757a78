"""A breaker before something that may fail: after failures it is left alone for a while, then tried by one call.

Closed, everything passes. Open, nothing does, until a pause is over. Half-open, one call passes: if it succeeds the
breaker closes, if it fails the next pause is twice as long (Nygard, Release It!, 2nd edition 2018, chapter 5).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Literal

State = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, slots=True)
class BreakerOptions:
    """It opens where at least `share` of the last `window` calls failed, and at least `failures` of them.

    pause_s: how long it stays open the first time, longest_pause_s at most.
    """

    window: int = 20
    share: float = 0.5
    failures: int = 5
    pause_s: float = 0.25
    longest_pause_s: float = 2.0


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to make one call. period: since which change of state; what ends in a later one no longer counts."""

    period: int


class Breaker:
    """All times in seconds of one clock."""

    def __init__(self, options: BreakerOptions) -> None:
        self.options = options
        self._outcomes: deque[bool] = deque(maxlen=options.window)  # True where a call failed
        self._state: State = "closed"
        self._period = 0
        self._pause_s = options.pause_s
        self._until_s = 0.0  # of the pause

    @property
    def state(self) -> State:
        """Half-open means that one call is under way to try it."""
        return self._state

    def ask(self, now_s: float) -> Pass | None:
        """Leave to call, or None. Of each leave it is told what became of it."""
        if self._state == "half-open" or (self._state == "open" and now_s < self._until_s):
            return None
        if self._state == "open":
            self._enter("half-open")
        return Pass(self._period)

    def succeeded(self, leave: Pass) -> None:
        """The call was answered in time."""
        if leave.period != self._period:
            return
        if self._state == "half-open":
            self._enter("closed")
            self._pause_s = self.options.pause_s
        else:
            self._outcomes.append(False)

    def failed(self, leave: Pass, now_s: float) -> None:
        """The call raised, or was not answered in time."""
        if leave.period != self._period:
            return
        if self._state == "half-open":
            self._pause_s = min(2 * self._pause_s, self.options.longest_pause_s)
            self._open(now_s)
            return
        self._outcomes.append(True)
        failures = sum(self._outcomes)
        if failures >= self.options.failures and failures >= self.options.share * len(self._outcomes):
            self._open(now_s)

    def given_up(self, leave: Pass) -> None:
        """The call was given up by who made it, which says nothing; the next one may try instead.

        After another report of the same leave it changes nothing.
        """
        if leave.period == self._period and self._state == "half-open":
            self._enter("open")

    def _open(self, now_s: float) -> None:
        self._enter("open")
        self._until_s = now_s + self._pause_s

    def _enter(self, state: State) -> None:
        self._state = state
        self._period += 1
        self._outcomes.clear()
