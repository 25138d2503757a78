"""Only the parent reacts to Ctrl-C, which a terminal sends to every process of a run."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Within, Ctrl-C is held back; processes started within never see it, so that their parent can end them in order.

    The signal is blocked before the process starts, and the block is inherited: if the process itself ignored the
    signal, there would be a moment before that.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
