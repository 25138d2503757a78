"""Who reacts to Ctrl-C, which a terminal sends to every process of a run, and when."""

from __future__ import annotations

import signal
import threading
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


@contextmanager
def postponed() -> Iterator[None]:
    """Within, Ctrl-C and SIGTERM are noted, and take effect at the end: for what must not be cut off half-way.

    Blocking the signals would not do where a library has threads of its own, which then receive them. Only the main
    thread reacts to signals, so in another one nothing has to be held back.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted: list[int] = []
    before = {
        number: signal.signal(number, lambda received, _frame: noted.append(received))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if noted:
            signal.raise_signal(noted[0])
