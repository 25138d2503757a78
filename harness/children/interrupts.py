"""Ctrl-C is the parent's affair: a terminal sends it to every process of a run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Within, Ctrl-C waits; processes started within never see it, so that their parent can end them in order.

    The block is inherited with the process, where ignoring the signal once it runs would leave its start open.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
