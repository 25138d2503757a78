"""A function in a process of its own, under a keeper: however it ends, nothing of it is left."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from multiprocessing.connection import Pipe, wait
from pathlib import Path
from typing import Any

from harness.children import leftovers, tree
from harness.children.interrupts import uninterrupted
from harness.children.keeper import LINGER_S, ChildEnd, ChildSpec
from harness.children.kernel import adopting_orphans
from harness.children.start import ENTRY, bare_python, function_command, receive, send_function


class KeptChild:
    """A running function. connection: our end of the connection to it."""

    def __init__(self, title: str, log: Path, folders: Sequence[Path], grace_s: float) -> None:
        self._known = {one.pid for one in tree.processes().values() if one.parent == os.getpid()}
        self._grace_s = grace_s
        self._report: ChildEnd | None = None
        self.connection, theirs = Pipe()
        reader, report = os.pipe()
        lifeline, self._lifeline = os.pipe()
        name = leftovers.new_name()
        self._spec = ChildSpec(
            command=function_command(theirs.fileno(), title),
            connection=theirs.fileno(),
            lifeline=lifeline,
            report=report,
            log=str(log.absolute()),
            folders=[str(folder.absolute()) for folder in (*folders, *leftovers.scratch(name))],
            temporary=str(leftovers.temporary(name)),
            grace_s=grace_s,
            own=ENTRY,
        )
        command = [*bare_python("harness.children.keeper"), json.dumps(asdict(self._spec))]
        with uninterrupted():
            self._keeper = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), lifeline, report),
                env=os.environ | {leftovers.VARIABLE: name},
                start_new_session=True,  # a signal to the run's process group does not reach its keepers
            )
            self._reader = reader
        theirs.close()
        os.close(lifeline)
        os.close(report)

    def receive(self, timeout_s: float | None) -> Any:
        """Its next message; see `receive`."""
        return receive(self.connection, self._reader, timeout_s)

    def wait(self, timeout_s: float) -> ChildEnd | None:
        """How it ended; None where it has not within that time."""
        if self._report is None and wait([self._reader], timeout_s):
            with os.fdopen(self._reader, "rb", closefd=False) as file:
                text = file.read()
            self._keeper.wait()
            self._report = ChildEnd(**json.loads(text)) if text else self._without_keeper()
        return self._report

    def end(self) -> ChildEnd:
        """Ends it, and everything below it, if it has not ended; how it did."""
        if self._lifeline >= 0:
            os.close(self._lifeline)
            self._lifeline = -1
        report = self.wait(self._grace_s + LINGER_S + 2 * tree.END_S)
        if report is None:
            self._keeper.kill()
            self._keeper.wait()
            report = self._report = self._without_keeper()
        return report

    def close(self) -> ChildEnd:
        """As `end`, and closes the connection and the descriptor. To be called once."""
        try:
            return self.end()
        finally:
            self.connection.close()
            os.close(self._reader)

    def _without_keeper(self) -> ChildEnd:
        """Does the work of a keeper that was killed. The kernel has killed the child; its orphans are ours now."""

        def left() -> list[int]:
            everything = tree.processes()
            adopted = [
                one for one in everything.values() if one.parent == os.getpid() and one.pid not in self._known
            ]
            found = [*adopted, *tree.below([one.pid for one in adopted], everything)]
            return [one.pid for one in found if not one.ended]

        deadline = time.monotonic() + LINGER_S  # the child may still be ending
        while (found := left()) and time.monotonic() < deadline:
            self._reap(found)
            time.sleep(0.02)
        names = [text for text in map(tree.command, left()) if text and ENTRY not in text]
        stuck = tree.end(left, lambda: self._reap(tree.pids()))
        self._reap(tree.pids())
        for folder in (*self._spec.folders, self._spec.temporary):
            shutil.rmtree(folder, ignore_errors=True)
        return ChildEnd(self._keeper.returncode, names, [tree.command(pid) for pid in stuck])

    def _reap(self, candidates: Sequence[int]) -> None:
        """Reaps those that have ended and that this run has not started itself."""
        for pid in candidates:
            if pid not in self._known and (one := tree.stat(pid)) and one.ended and one.parent == os.getpid():
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)


@contextlib.contextmanager
def keep_child(
    title: str,
    function: Callable[..., None],
    *arguments: Any,
    log: Path,
    folders: Sequence[Path] = (),
    grace_s: float = 0.0,
) -> Iterator[KeptChild]:
    """Runs `function(*arguments, connection)` in a new process under a keeper, and ends it afterwards.

    log: where it prints to. folders: removed when it has ended. grace_s: how long it may take to end once its
    connection has ended. Where this process is killed, the keeper ends all the same.
    """
    with adopting_orphans():
        child = KeptChild(title, log, folders, grace_s)
        try:
            send_function(child.connection, function, arguments)
            yield child
        finally:
            child.connection.close()
            child.close()
