"""Where requests wait for their place under an adaptive limit, in asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from service.limits.adaptive import AdaptiveLimit
from service.limits.deadline import Deadline


class OverloadedError(Exception):
    """There is no place, and the queue is full or was too slow: nothing has been done for this request.

    retry_after_s: when it may be asked again.
    """

    def __init__(self, retry_after_s: int = 1) -> None:
        super().__init__(f"too many requests at once; ask again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class Gate:
    """One for each event loop.

    shed: how many were turned away so far, and gone: how many gave up while they waited.
    """

    def __init__(self, limit: AdaptiveLimit, clock: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.shed = self.gone = 0
        self._clock = clock
        self._waiters: dict[int, asyncio.Future[bool]] = {}
        self._told_s = float("-inf")

    def turns_away(self) -> bool:
        """Whether there is no place for one that arrives now, not even to wait; it is then counted as shed."""
        full = self.limit.full(self._clock())
        self.shed += full
        return full

    def tells(self) -> bool:
        """Whether it is time to log that requests are turned away: once a second, however many they are."""
        now_s = self._clock()
        if now_s - self._told_s < 1:
            return False
        self._told_s = now_s
        return True

    @asynccontextmanager
    async def place(self, deadline: Deadline) -> AsyncIterator[None]:
        """Work inside begins once there is a place. Raises OverloadedError before it, never after."""
        ticket, verdict = self.limit.arrive(self._clock(), deadline.at_s)
        if verdict == "shed" or (verdict == "wait" and not await self._wait(ticket, deadline)):
            self.shed += 1
            raise OverloadedError
        try:
            yield
        finally:
            self.limit.finish(ticket, self._clock())
            self._settle()

    async def _wait(self, ticket: int, deadline: Deadline) -> bool:
        """Whether the ticket got a place."""
        loop = asyncio.get_running_loop()
        waiter: asyncio.Future[bool] = loop.create_future()
        self._waiters[ticket] = waiter
        patience_s = min(self.limit.options.patience_s, deadline.left_s(self._clock()))
        timer = loop.call_later(patience_s, self._shed, ticket)
        try:
            placed = await waiter
        except asyncio.CancelledError:
            self.gone += 1
            # It may have been given a place in the very turn of the loop in which it was cancelled: another takes it.
            self.limit.leave(ticket)
            self._settle()
            raise
        finally:
            timer.cancel()
            del self._waiters[ticket]
        return placed

    def _shed(self, ticket: int) -> None:
        waiter = self._waiters[ticket]
        if not waiter.done():
            self.limit.leave(ticket)
            waiter.set_result(False)

    def _settle(self) -> None:
        if not self._waiters:
            return
        due = self.limit.due(self._clock())
        for tickets, placed in ((due.begin, True), (due.shed, False)):
            for ticket in tickets:
                waiter = self._waiters[ticket]
                if not waiter.done():
                    waiter.set_result(placed)
