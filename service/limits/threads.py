"""Blocking calls beside the event loop, in a bounded number of threads."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

from service.limits.deadline import Deadline
from service.limits.gate import OverloadedError

_Result = TypeVar("_Result")


class Threads:
    """A call that has not begun when its request is gone, or its deadline over, never begins.

    One that has begun cannot be stopped: it keeps its thread, and its answer is dropped. It runs in the context of who
    asked for it (`contextvars`).
    """

    def __init__(
        self, name: str, threads: int, queue: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """queue: how many calls may wait for a thread; an engine that hangs would collect them without end."""
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._most = threads + queue
        self._pending: set[Future[Any]] = set()
        self._clock = clock

    async def run(self, deadline: Deadline, call: Callable[..., _Result], *arguments: Any) -> _Result:
        """What the call returns or raises. Raises TimeoutError at the deadline; OverloadedError where all is taken."""
        if deadline.passed(self._clock()):
            raise TimeoutError
        if len(self._pending) >= self._most:
            raise OverloadedError
        future = self._pool.submit(copy_context().run, call, *arguments)
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        # Cancelled by the time-out or from outside, the future in asyncio cancels the other one.
        async with asyncio.timeout(deadline.left_s(self._clock())):
            return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Calls that wait never begin; returns once those that run have ended."""
        self._pool.shutdown(cancel_futures=True)
