"""Ctrl-C is the parent's affair: a terminal sends it to every process of a run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Within, Ctrl-C waits; processes started within never see it, so that their parent can end them in order.

    The block is inherited with the process, where ignoring the signal once it runs would leave its start open.
    """
    # Starting the tracker (which the first child of multiprocessing does) would lift the block.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
