"""Engines with one fault each in the processes that they start, and the correct one beside them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from engines.base import Hits, Schema
from tests.cli.broken_engines import Shared

_SPIN = "while True: pass"
_NAME = os.environ.get("BAKEOFF_FAULT", "left-behind")  # in the command of what is left behind


def start_daemon() -> None:
    """A program that only computes, forked twice, in a session of its own, with an empty environment."""
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.execve(sys.executable, [sys.executable, "-c", _SPIN, _NAME], {})
        os._exit(0)
    os.wait()


class Sound(Shared):
    """Correct, and several processes may share it."""


class SpinsInClients(Shared):
    """Does not return from a query, in client processes only."""

    def open(self, schema: Schema) -> None:
        super().open(schema)
        self.opened = True

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        while getattr(self, "opened", False):
            pass
        return super().query(vector, k, where, exact=exact)


class LeavesChild(Shared):
    """Starts a program and does not end it."""

    def __init__(self, path: Path, index: Any) -> None:
        super().__init__(path, index)
        self.child = subprocess.Popen([sys.executable, "-c", _SPIN, _NAME])


class LeavesDaemon(Shared):
    """Starts a daemon and does not end it."""

    def __init__(self, path: Path, index: Any) -> None:
        super().__init__(path, index)
        start_daemon()


class LeavesFork(Shared):
    """Forks without starting a program: everything that is open in the session stays open there."""

    def __init__(self, path: Path, index: Any) -> None:
        super().__init__(path, index)
        if os.fork() == 0:
            while True:
                time.sleep(1)


class DaemonWorks(Shared):
    """Has a process outside its own tree use the CPU while it searches."""

    def refresh(self) -> None:
        super().refresh()
        start_daemon()


class HoldsMemory(Shared):
    """Keeps 64 KiB more with every query."""

    def __init__(self, path: Path, index: Any) -> None:
        super().__init__(path, index)
        self.held: list[bytes] = []

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        self.held.append(os.urandom(1 << 16))
        time.sleep(0.001)
        return super().query(vector, k, where, exact=exact)


class Prints(Shared):
    """Prints 200 MB while its index is built."""

    def refresh(self) -> None:
        super().refresh()
        line = b"x" * 199 + b"\n"
        os.write(1, b"first line\n")
        for _ in range(1000):
            os.write(2, line * 1000)
        os.write(1, b"last line\n")


class DiesInIndex(Shared):
    """Is killed while it builds its index, after it has started a program and made a temporary folder."""

    def refresh(self) -> None:
        import tempfile

        tempfile.mkdtemp(prefix="fault-")
        subprocess.Popen([sys.executable, "-c", _SPIN, _NAME])
        threading.Timer(0.2, os.kill, (os.getpid(), 9)).start()
        time.sleep(60)
