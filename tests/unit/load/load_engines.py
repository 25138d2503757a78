"""Engines for the load tests. Importable by name, since client processes receive them pickled."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from engines.base import Hits
from harness.calibration.null_engine import NullEngine
from harness.data.queries.workload import Workload

K = 3


def numbered(count: int) -> Workload:
    """`count` queries, each of which holds its own number."""
    return Workload(
        "none", np.repeat(np.arange(count, dtype=np.float32)[:, None], 4, axis=1), (None,) * count, K
    )


class Calling(NullEngine):
    """Answers with what `answer(number of the query)` returns."""

    def __init__(self, answer: Callable[[int], Any]) -> None:
        super().__init__()
        self.answer = answer
        self.asked: list[int] = []

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Any:
        self.asked.append(int(vector[0]))
        return self.answer(int(vector[0]))


def echo(number: int) -> Hits:
    """As many hits as the number leaves over by 4: none to K, each telling the number."""
    return Hits([number * 10 + i for i in range(number % (K + 1))], [0.0] * (number % (K + 1)))


class Stalling(Calling):
    """One request at a time, as behind a lock; the first is answered only after `stall_s`."""

    def __init__(self, stall_s: float) -> None:
        super().__init__(echo)
        self.lock, self.stall_s = threading.Lock(), stall_s

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Any:
        with self.lock:
            if not self.asked:
                time.sleep(self.stall_s)
            return super().query(vector, k, where)


class Stuck(Calling):
    """Answers nothing until it is released."""

    def __init__(self) -> None:
        super().__init__(echo)
        self.released = threading.Event()

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Any:
        self.asked.append(int(vector[0]))
        self.released.wait()
        return echo(int(vector[0]))


def open_echo() -> Calling:
    return Calling(echo)


def open_failing() -> Calling:
    raise RuntimeError("no such collection")


def open_exiting() -> Calling:
    os._exit(3)


def open_killed_while_measuring() -> Calling:
    def answer(number: int) -> Hits:
        os.kill(os.getpid(), signal.SIGKILL)
        return echo(number)

    return Calling(answer)


def interrupting(pid: int) -> Calling:
    """Interrupts process `pid` once, at its tenth query."""

    def answer(number: int) -> Hits:
        if len(engine.asked) == 10:
            os.kill(pid, signal.SIGINT)
        time.sleep(0.001)
        return echo(number)

    engine = Calling(answer)
    return engine


def open_interrupting() -> Calling:
    return interrupting(os.getppid())
