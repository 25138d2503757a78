"""Blocking calls beside the event loop, in a bounded number of threads."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from contextvars import copy_context
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

from service.limits.deadline import Deadline
from service.limits.gate import OverloadedError

_Result = TypeVar("_Result")


class Threads:
    """A call that has not begun when its request is gone, or its deadline over, never begins.

    One that has begun cannot be stopped: it keeps its thread, and its answer is dropped. It runs in the context of who
    asked for it (`contextvars`). Not by concurrent.futures: its futures with asyncio's around them add a tenth to the
    processor time of a recommendation.
    """

    def __init__(
        self, name: str, threads: int, queue: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """queue: how many calls may wait for a thread; an engine that hangs would collect them without end."""
        self._name, self._threads, self._most = name, threads, threads + queue
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._pending: set[_Call] = set()  # that wait or run
        self._started: list[Thread] = []
        self._closed = False
        self._clock = clock

    async def run(self, deadline: Deadline, call: Callable[..., _Result], *arguments: Any) -> _Result:
        """What the call returns or raises. Raises TimeoutError at the deadline; OverloadedError where all is taken."""
        left_s = deadline.left_s(self._clock())
        if not left_s:
            raise TimeoutError
        if len(self._pending) >= self._most:
            raise OverloadedError
        if self._closed:
            raise RuntimeError(f"the threads {self._name} are closed")
        loop = asyncio.get_running_loop()
        made = _Call(loop, call, arguments)
        self._pending.add(made)
        if len(self._started) < min(len(self._pending), self._threads):
            self._start()
        self._calls.put(made)
        late = loop.call_later(left_s, made.fail, TimeoutError())
        try:
            result: _Result = await made.answer
        finally:
            late.cancel()
            if made.take():
                self._pending.discard(made)
        return result

    def _start(self) -> None:
        # Daemons: who has to wait for calls under way closes this, and an engine that hangs must not keep a process.
        thread = Thread(target=self._work, name=f"{self._name}-{len(self._started)}", daemon=True)
        self._started.append(thread)
        thread.start()

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            if call.take():
                call.run()
                self._pending.discard(call)
            del call  # and with it what it was asked with, while there is nothing to do

    def close(self) -> None:
        """Calls that wait never begin; returns once those that run have ended."""
        self._closed = True
        for call in tuple(self._pending):
            if call.take():
                self._pending.discard(call)
                call.tell(call.answer.cancel)
        for _ in self._started:
            self._calls.put(None)
        for thread in self._started:
            thread.join()


class _Call:
    """answer: a future of the event loop from which it is made."""

    __slots__ = ("_arguments", "_call", "_context", "_loop", "_taken", "answer")

    def __init__(
        self, loop: asyncio.AbstractEventLoop, call: Callable[..., Any], arguments: tuple[Any, ...]
    ) -> None:
        self.answer: asyncio.Future[Any] = loop.create_future()
        self._loop, self._call, self._arguments, self._context = loop, call, arguments, copy_context()
        self._taken = Lock()

    def take(self) -> bool:
        """Whether the caller is the first who takes it: to run it, or so that it never begins."""
        return self._taken.acquire(blocking=False)

    def run(self) -> None:
        """In a thread."""
        try:
            result = self._context.run(self._call, *self._arguments)
        except BaseException as error:  # noqa: BLE001 - raised where it was asked for
            self.tell(self.fail, error)
        else:
            self.tell(self._succeed, result)

    def tell(self, what: Callable[..., object], *arguments: object) -> None:
        """Has the event loop do it, unless that has ended and nobody waits any more."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(what, *arguments)

    def fail(self, error: BaseException) -> None:
        """On the event loop."""
        if not self.answer.done():
            self.answer.set_exception(error)

    def _succeed(self, result: Any) -> None:
        if not self.answer.done():
            self.answer.set_result(result)
