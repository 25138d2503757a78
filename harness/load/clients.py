"""What closed and open loop share: the common start, precise waiting, no garbage collection, errors in one line."""

from __future__ import annotations

import ctypes
import gc
import select
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from time import perf_counter_ns, sleep

from engines.server.redaction import redact
from harness.results.text import message_of, visible

# Called once every client is ready; returns when to start, on the perf_counter_ns clock.
StartSignal = Callable[[], int]

SPIN_NS = 100_000  # most sleeps overshoot by less than this; the rest of a wait is spent spinning
_ERROR_LENGTH = 500
_PR_SET_TIMERSLACK = 29
_left_behind: list[Thread] = []


def describe(error: BaseException) -> str:
    """An exception as one line of bounded length, without control characters. Never raises."""
    message = message_of(error)
    text = " ".join((f"{type(error).__name__}: {message}" if message else type(error).__name__).split())
    if len(text) > _ERROR_LENGTH:
        text = redact(text)  # once it is cut, part of a password could no longer be found
    return visible(text[:_ERROR_LENGTH])[:_ERROR_LENGTH]


@contextmanager
def quiet_interpreter() -> Iterator[None]:
    """No garbage collection inside: a pass over a large heap would show up as the engine's latency."""
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def sharpen_sleep() -> None:
    """Lets this thread's sleeps end within 1 ns of slack instead of Linux's 50 us; elsewhere does nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_TIMERSLACK, 1, 0, 0, 0)


def wait_until(due_ns: int) -> None:
    """Returns at `due_ns` of perf_counter_ns: sleeps, then spins through the last microseconds."""
    left_ns = due_ns - perf_counter_ns()
    if left_ns > SPIN_NS:
        sleep((left_ns - SPIN_NS) / 1e9)
    while perf_counter_ns() < due_ns:
        # Lets other threads have the interpreter lock; unlike sleep(0) it never gives up the processor.
        select.select((), (), (), 0)


def leave_behind(threads: list[Thread]) -> None:
    """Notes clients that are still in the engine when their load is over."""
    _left_behind.extend(thread for thread in threads if thread.is_alive())


def wait_for_left_behind(timeout_s: float) -> int:
    """Waits, up to a limit, for clients of earlier loads of this process that were still in an engine when their load
    was over; returns how many still are. Their requests would otherwise slow the next load.
    """
    deadline_ns = perf_counter_ns() + int(timeout_s * 1e9)
    for thread in _left_behind:
        thread.join(max(0, deadline_ns - perf_counter_ns()) / 1e9)
    _left_behind[:] = [thread for thread in _left_behind if thread.is_alive()]
    return len(_left_behind)
