"""Several processes that answer on one port: started, started again where one ends, and ended together."""

from __future__ import annotations

import logging
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import reduction
from multiprocessing.connection import Connection, wait
from pathlib import Path

from harness.children.start import Child, ending, start
from harness.errors import BakeoffError, ConfigurationError
from service.telemetry.processes import ended

log = logging.getLogger(__name__)

_LOOK_S = 0.2
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = (
    0.1,
    10.0,
)  # before a worker is started again that has not been ready in between
READY = "ready"
Work = Callable[..., None]


class WorkerError(BakeoffError):
    """A worker did not start, or did not end in order."""


@dataclass(slots=True)
class _Worker:
    """One of the processes, or one after the other in its place. due: when it is started again, where it has ended."""

    number: int
    child: Child | None = None
    ready: bool = False
    due: float = 0.0
    pause_s: float = _FIRST_PAUSE_S


class Workers:
    """They share one socket, so that what waits to be accepted is not lost with one of them, and a port that is taken
    is told before anything is started.

    work: what each runs, `work(number, *arguments, connection)`; it gets the socket by `received`, says READY through
    the connection once it answers, or sends why it does not (exit code and lines), and ends in order at SIGTERM.
    counted: the folder in which they count together (`service.telemetry.processes`). restarts: how many were started
    again.
    """

    def __init__(
        self, bound: socket.socket, count: int, counted: Path, work: Work, *arguments: object
    ) -> None:
        self._bound, self._counted, self._work, self._arguments = bound, counted, work, arguments
        self._workers = [_Worker(number) for number in range(count)]
        self.restarts = 0

    def run(self, ready: Callable[[], None], stop_s: float) -> None:
        """Returns once they have ended after SIGTERM or SIGINT; a second one is passed on to them, too.

        The first starts alone, for it may have to fill catalogue and index. ready: called once all answer. stop_s: how
        long they may take to end. Raises ConfigurationError with what is wrong at the first start, WorkerError.
        """
        first, *others = self._workers
        try:
            for some in ([first], others):
                for worker in some:
                    self._start(worker)
                for worker in some:
                    self._await(worker)
            with _noted() as signals:
                ready()
                while not signals:
                    self._keep()
                self._bound.close()  # nobody is to wait on it: the workers close theirs, too
                self._end(signals, stop_s)
        finally:
            for worker in self._workers:
                if worker.child is not None:
                    worker.child.end(graceful=False)

    def _start(self, worker: _Worker) -> None:
        title = f"bakeoff serve worker {worker.number + 1}"
        worker.child = child = start(title, self._work, worker.number, *self._arguments)
        worker.ready = False
        try:
            reduction.send_handle(child.connection, self._bound.fileno(), child.process.pid)
        except (
            BrokenPipeError,
            ConnectionResetError,
        ):  # it has ended already, which is seen where it is waited for
            return

    def _await(self, worker: _Worker) -> None:
        """Until it answers for the first time."""
        assert worker.child is not None
        try:
            told = worker.child.receive()
        except EOFError:
            how = ending(worker.child.exit_code())
            raise WorkerError(f"worker {worker.number + 1} has ended before it answered: {how}") from None
        if told != READY:
            code, lines = told
            raise (
                ConfigurationError(lines)
                if code == ConfigurationError.exit_code
                else WorkerError("\n".join(lines))
            )
        worker.ready = True

    def _keep(self) -> None:
        """Waits for a moment, and starts again what has ended."""
        there = {worker.child.ended: worker for worker in self._workers if worker.child is not None}
        starting = {
            worker.child.connection: worker
            for worker in self._workers
            if worker.child is not None and not worker.ready
        }
        for found in wait([*there, *starting], _LOOK_S):
            if isinstance(found, Connection) and found in starting:
                self._hear(starting[found])
        for descriptor in wait([*there], 0):
            assert isinstance(descriptor, int)
            worker = there[descriptor]
            assert worker.child is not None
            self._lost(worker, f"has ended: {ending(worker.child.exit_code())}")
        for worker in self._workers:
            if worker.child is None and time.monotonic() >= worker.due:
                self.restarts += 1
                try:
                    self._start(worker)
                except OSError as error:  # such as too little memory; the others answer meanwhile
                    self._lost(worker, f"could not be started: {error}")

    def _hear(self, worker: _Worker) -> None:
        assert worker.child is not None
        try:
            told = worker.child.receive(0)
        except (EOFError, TimeoutError):
            return
        if told == READY:
            worker.ready, worker.pause_s = True, _FIRST_PAUSE_S
            log.info("worker %d answers again", worker.number + 1)
        else:
            log.error("worker %d does not start: %s", worker.number + 1, "; ".join(told[1]))

    def _lost(self, worker: _Worker, how: str) -> None:
        if worker.child is not None:
            worker.child.end(graceful=False)
            ended(self._counted, worker.child.process.pid)
        worker.child, worker.due = None, time.monotonic() + worker.pause_s
        told = "worker %d %s; it is started again in %.1f s (restarts so far: %d)"
        log.error(told, worker.number + 1, how, worker.pause_s, self.restarts)
        worker.pause_s = min(2 * worker.pause_s, _LONGEST_PAUSE_S)

    def _end(self, signals: list[int], stop_s: float) -> None:
        deadline, sent = time.monotonic() + stop_s, 0
        there = {worker.child.ended: worker for worker in self._workers if worker.child is not None}
        failed: list[str] = []
        with _noted() as more:
            while there:
                while sent < len(signals) + len(more):
                    for worker in there.values():
                        assert worker.child is not None
                        worker.child.process.send_signal(signal.SIGTERM)
                    sent += 1
                for descriptor in wait([*there], _LOOK_S):
                    assert isinstance(descriptor, int)
                    worker = there.pop(descriptor)
                    assert worker.child is not None
                    if (code := worker.child.exit_code()) != 0 and (worker.ready or code != -signal.SIGTERM):
                        failed.append(f"worker {worker.number + 1}: {ending(code)}")
                if time.monotonic() >= deadline:
                    failed += [
                        f"worker {worker.number + 1} has not ended in time" for worker in there.values()
                    ]
                    break
        if failed:
            raise WorkerError("\n".join(failed))


def received(connection: Connection) -> socket.socket:
    """The socket that this worker is to answer on."""
    return socket.socket(fileno=reduction.recv_handle(connection))


@contextmanager
def _noted() -> Iterator[list[int]]:
    """The signals to stop that have come within."""
    noted: list[int] = []
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = {number: signal.signal(number, lambda got, _frame: noted.append(got)) for number in numbers}
    try:
        yield noted
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
