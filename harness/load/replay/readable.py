"""Waiting for a file to become readable, to the microsecond and whatever its number."""

from __future__ import annotations

import ctypes
import select

# `poll` and `epoll` of Python round up to whole milliseconds, and `select` takes no file above 1023.
_ppoll = ctypes.CDLL(None).ppoll


class _File(ctypes.Structure):
    _fields_ = (("fd", ctypes.c_int), ("events", ctypes.c_short), ("found", ctypes.c_short))


class _Time(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class Readable:
    """Whether a file can be read from. For one thread."""

    def __init__(self, fd: int) -> None:
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        self._file = _File(fd, select.POLLIN)
        self._time = _Time()

    def within(self, wait_ns: int) -> bool:
        """Waits at most so long; not at all where that is negative."""
        if wait_ns <= 0:
            return bool(self._poll.poll(0))
        self._time.seconds, self._time.nanoseconds = divmod(wait_ns, 1_000_000_000)
        return bool(_ppoll(ctypes.byref(self._file), 1, ctypes.byref(self._time), None) > 0)
