"""A session in its own process, watched: what it reports, and what became of it when it stops reporting."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.children.interrupts import uninterrupted
from harness.oracle.corpus import load_corpus
from harness.run.from_engines import error_text, from_engine
from harness.run.session import Job, run_session

STOP_S = 5.0  # how long a session may take to end before it is killed


class SessionFailedError(Exception):
    """The session's process died, hung or failed as a whole; the message says how."""


def messages(job: Job, cache: Path, timeout_s: float) -> Iterator[tuple[Any, ...]]:
    """Runs a session in a new process and yields its messages as they come.

    Raises SessionFailedError when the process ends early or is silent for `timeout_s`. However the iteration
    ends, the process is gone afterwards.
    """
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_main, args=(job, cache, sender), name=f"bakeoff {job.session.label}")
    with uninterrupted():
        process.start()
    sender.close()
    try:
        while True:
            if not receiver.poll(timeout_s):
                raise SessionFailedError(
                    f"no sign of life for {timeout_s:g} s (cell_timeout_s); it was stopped"
                )
            try:
                message = receiver.recv()
            except EOFError:
                process.join(STOP_S)
                raise SessionFailedError(_obituary(process.exitcode, job.run)) from None
            if message == ("done",):
                process.join(STOP_S)
                return
            if message[0] == "failed":
                raise SessionFailedError(message[1])
            yield message
    finally:
        receiver.close()
        if process.is_alive():
            process.terminate()
            process.join(STOP_S)
        if process.is_alive():
            process.kill()
            process.join()


def _obituary(code: int | None, run: Path) -> str:
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = ", probably for lack of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}; what it printed is in {run / 'engines.log'}"
    return f"its process ended with exit code {code}; what it printed is in {run / 'engines.log'}"


def die_with_parent() -> None:
    """Asks the kernel (Linux) to kill this process when its parent dies, even by SIGKILL."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def _main(job: Job, cache: Path, sender: Connection) -> None:
    die_with_parent()
    os.environ.update(job.settings)
    log = os.open(job.run / "engines.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)

    def send(kind: str, *values: Any) -> None:
        sender.send((kind, *map(from_engine, values)))

    try:
        run_session(job, load_corpus(job.scenario, cache), send)
        sender.send(("done",))
    except BrokenPipeError:
        return  # the parent has gone; there is nobody to tell
    except Exception as error:  # noqa: BLE001  the parent reports it with the cells it cost
        sender.send(("failed", error_text(error)))
