"""The process between a run and one of its children (a session, a server): nothing below it outlives it.

The kernel gives it the orphans among its descendants, so it finds whatever the child leaves behind. When the run ends,
however that happens, the other end of the keeper's pipe is closed, and the keeper ends the child. When the keeper
itself is killed, the kernel kills the child, and the run adopts the orphans and ends them (`KeptChild`).
The keeper also writes what the child prints to a log, and removes the child's folders.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.children import kernel, tree
from harness.children.log import BoundedLog

LINGER_S = 0.5  # how long processes that the child leaves behind may take to end
_POLL_MS = 20
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class ChildSpec:
    """The child that a keeper starts, and how it is to end. Descriptors are open in the keeper when it starts.

    folders: removed at the end. temporary: made for the child's temporary files, and removed too.
    grace_s: how long the child may take to end by itself when the run does. own: a text in the commands of the child's
    own helper processes, which are not reported when they are left behind.
    """

    command: list[str]
    connection: int  # handed to the child
    lifeline: int  # closed when the run ends, or wants the child ended
    report: int  # where `ChildEnd` is written to, as a line of JSON
    log: str
    folders: list[str]
    temporary: str
    grace_s: float
    own: str


@dataclass(frozen=True, slots=True)
class ChildEnd:
    """How it ended. code: the child's exit code, negative: the signal. left: the commands of processes that it left
    behind, which were ended; stuck: those that could not be.
    """

    code: int | None
    left: list[str]
    stuck: list[str]


def main() -> None:
    """Starts the child, waits until it has ended or is to end, and ends what it leaves behind. argv: its spec, JSON."""
    spec = ChildSpec(**json.loads(sys.argv[1]))
    kernel.adopt_orphans()
    for descriptor in (spec.lifeline, spec.report):
        os.set_inheritable(descriptor, False)
    report = _Keeper(spec).keep()
    for folder in (*spec.folders, spec.temporary):
        shutil.rmtree(folder, ignore_errors=True)
    with contextlib.suppress(OSError):  # the run has ended
        os.write(spec.report, json.dumps(asdict(report)).encode())


class _Keeper:
    def __init__(self, spec: ChildSpec) -> None:
        self._spec = spec
        self._log = BoundedLog(Path(spec.log))
        self._printed, writer = os.pipe()
        os.set_blocking(self._printed, False)
        self._woken, waker = os.pipe()
        os.set_blocking(waker, False)
        os.set_blocking(self._woken, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(waker)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())
        self._code: int | None = None
        self._child = self._start(writer)
        os.close(writer)
        os.close(spec.connection)

    def _start(self, writer: int) -> int:
        """Forks and becomes the child. This process has one thread, so any code may run between fork and exec."""
        keeper = os.getpid()
        # A server under another account has to reach its own part of it.
        Path(self._spec.temporary).mkdir(mode=0o711)
        child = os.fork()
        if child:
            return child
        try:
            kernel.die_with(keeper)
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(writer, 1)
            os.dup2(writer, 2)
            os.set_inheritable(self._spec.connection, True)
            os.environ["TMPDIR"] = self._spec.temporary
            os.execv(self._spec.command[0], [*self._spec.command, str(keeper)])
        finally:
            os._exit(127)

    def keep(self) -> ChildEnd:
        asked = self._wait_for_the_child()
        left = [] if asked else self._linger()
        names = [text for text in map(tree.command, left) if self._spec.own not in text]
        stuck = tree.end(lambda: tree.living_below(os.getpid()), self._reap)
        self._take_printed()
        self._log.close()
        return ChildEnd(self._code, [name for name in names if name], [tree.command(pid) for pid in stuck])

    def _wait_for_the_child(self) -> bool:
        """Waits until the child has ended. Returns whether it was asked to end it."""
        poll = select.poll()
        for descriptor in (self._woken, self._printed, self._spec.lifeline):
            poll.register(descriptor, select.POLLIN)
        deadline: float | None = None
        while self._code is None:
            left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
            for descriptor, event in poll.poll(None if left_s is None else left_s * 1e3):
                if descriptor == self._spec.lifeline:
                    poll.unregister(descriptor)
                    deadline = time.monotonic() + self._spec.grace_s
                elif descriptor == self._printed and not self._take_printed() and event & select.POLLHUP:
                    poll.unregister(descriptor)
            self._reap()
            if deadline is not None and time.monotonic() >= deadline and self._code is None:
                os.kill(self._child, signal.SIGKILL)
                deadline += tree.END_S
        return deadline is not None

    def _linger(self) -> list[int]:
        """The processes that are still there a little after the child has ended."""
        printed = select.poll()
        printed.register(self._printed, select.POLLIN)
        deadline = time.monotonic() + LINGER_S
        while left := tree.living_below(os.getpid()):
            if time.monotonic() > deadline:
                break
            printed.poll(_POLL_MS)
            self._take_printed()
            time.sleep(_POLL_MS / 1e3)
            self._reap()
        return left

    def _reap(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, _CHUNK)
        self._code = tree.reap().get(self._child, self._code)

    def _take_printed(self) -> bool:
        """Moves what was printed to the log; whether there was any."""
        taken = False
        with contextlib.suppress(BlockingIOError):
            while data := os.read(self._printed, _CHUNK):
                self._log.write(data)
                taken = True
        return taken
