"""A session in its own process, watched: what it reports, and how it ended when it stops reporting."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
from collections.abc import Callable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from harness.children.kept import KeptChild, keep_child
from harness.children.kernel import adopt_orphans
from harness.oracle.corpus import load_corpus
from harness.run.from_engines import error_text, from_engine
from harness.run.session import Job, engine_folder, run_session

CLOSE_S = 60.0  # how long an engine may take to close
STOP_S = 5.0  # how long a session may take to end before it is killed
LOG = "engines.log"  # in the run's folder: what engines print


class SessionFailedError(Exception):
    """The session's process died, hung or failed as a whole; the message says how."""


def messages(
    job: Job, cache: Path, timeout_s: float, answer: Callable[[str], Any] = lambda _: None
) -> Iterator[tuple[Any, ...]]:
    """Runs a session in a new process and yields its messages as they come; at the end ("left", commands) where
    processes were left behind. answer: gives the answer to a question of the session ("ask", question).

    Raises SessionFailedError when the process ends early or is silent for `timeout_s`. However the iteration
    ends, the process and everything that it has started are gone afterwards, and so are its folders.
    """
    with keep_child(
        f"bakeoff {job.session.label}",
        _main,
        job,
        cache,
        log=job.run / LOG,
        folders=[engine_folder(job).parent],
    ) as child:
        failure: str | None = None
        try:
            yield from _until_done(child, job.run, timeout_s, answer)
        except SessionFailedError as error:
            failure = str(error)
        report = child.end() if failure else child.wait(STOP_S) or child.end()
        if report.left:
            yield ("left", from_engine(report.left))
        if report.stuck:
            stuck = f"processes that could not be ended: {'; '.join(report.stuck)}"
            failure = f"{failure}; {stuck}" if failure else stuck
        if failure:
            raise SessionFailedError(failure)


def _until_done(
    child: KeptChild, run: Path, timeout_s: float, answer: Callable[[str], Any]
) -> Iterator[tuple[Any, ...]]:
    """The messages of a session until it says that it is done. Raises SessionFailedError."""
    closing = False
    while True:
        try:
            message = child.receive(timeout_s)
        except TimeoutError:
            silent = f"it reported nothing for {timeout_s:g} s (cell_timeout_s)"
            raise SessionFailedError(
                f"{f'it did not close within {timeout_s:g} s' if closing else silent}; it was stopped"
            ) from None
        except EOFError:
            report = child.wait(STOP_S) or child.end()
            raise SessionFailedError(_how_it_ended(report.code, run)) from None
        if message == ("done",):
            return
        if message == ("closing",):
            closing, timeout_s = True, min(timeout_s, CLOSE_S)
            continue
        if message[0] == "failed":
            raise SessionFailedError(message[1])
        if message[0] == "ask":
            child.connection.send(answer(message[1]))
            continue
        yield message


def _how_it_ended(code: int | None, run: Path) -> str:
    printed = f"what it printed is in {run / LOG}"
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = ", probably for lack of memory" if name == "SIGKILL" else ""
        return f"its process was ended by {name}{hint}; {printed}"
    return f"its process ended with exit code {code}; {printed}"


def _main(job: Job, cache: Path, connection: Connection) -> None:
    """What a session's process does."""
    adopt_orphans()  # so that a process that leaves an engine's tree still counts as the engine's
    os.environ.update(job.settings)

    def send(kind: str, *values: Any) -> None:
        connection.send((kind, *map(from_engine, values)))

    def ask(question: str) -> Any:
        connection.send(("ask", question))
        return connection.recv()

    try:
        corpus = load_corpus(job.scenario, cache)
        gc.freeze()  # modules and data stay: collecting before each window need not go through them again
        run_session(job, corpus, send, ask)
        connection.send(("done",))
    except BrokenPipeError:
        return  # the run has ended: nothing reads the report
    except Exception as error:  # noqa: BLE001  the run records it in the cells that are missing because of it
        with contextlib.suppress(BrokenPipeError):
            connection.send(("failed", error_text(error)))
