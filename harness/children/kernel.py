"""What is asked of the kernel about child processes. Linux only; elsewhere these functions do nothing."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_PR_GET_CHILD_SUBREAPER = 37


def _prctl(option: int, argument: object) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, argument, 0, 0, 0)


def die_with(parent: int) -> None:
    """Has the kernel kill this process when `parent`, which started it, ends, even by SIGKILL.

    To be called first of all: a parent that has ended before is seen by its process id.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans(adopt: bool = True) -> None:
    """Makes this process the parent of its descendants whose own parent has ended, instead of process 1."""
    _prctl(_PR_SET_CHILD_SUBREAPER, int(adopt))


@contextmanager
def adopting_orphans() -> Iterator[None]:
    """Within, orphans are adopted."""
    before = ctypes.c_int(0)
    _prctl(_PR_GET_CHILD_SUBREAPER, ctypes.byref(before))
    adopt_orphans()
    try:
        yield
    finally:
        adopt_orphans(bool(before.value))
