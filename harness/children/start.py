"""Starts a Python function in a new process, with a connection to it."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import Any

import harness
from harness.children import tree
from harness.children.interrupts import uninterrupted

ROOT = str(Path(harness.__file__).parents[1])
ENTRY = "harness.children.entry"  # part of the command of every process that is started here
_END_S = 2.0  # for a process to end by itself
_MARK = "BAKEOFF_CLIENT"
_numbers = itertools.count()


def bare_python(module: str) -> list[str]:
    """The command that runs `main()` of one of our modules that needs the standard library only.

    -I -S: no site packages, no user environment; it starts in a few ms and nothing there can break it.
    """
    code = f"import sys; sys.path.append({ROOT!r}); from {module} import main; main()"
    return [sys.executable, "-I", "-S", "-c", code]


def function_command(descriptor: int, title: str) -> list[str]:
    """The command of a process that runs the function it is sent through the connection at `descriptor`.

    title: what a listing of processes shows. The caller adds the parent's process id.
    """
    code = f"import sys; sys.path.insert(0, {ROOT!r}); from {ENTRY} import main; main()"
    warnings = [f"-W{option}" for option in sys.warnoptions]
    return [sys.executable, *warnings, "-c", code, title, str(descriptor)]


def dying_with_us(command: Sequence[str]) -> list[str]:
    """The command that runs a program which is killed when this process (this thread) ends, however it ends.

    Raises FileNotFoundError where there is no such program.
    """
    program = shutil.which(command[0])
    if program is None:
        raise FileNotFoundError(command[0])
    code = (
        f"import os, sys; sys.path.append({ROOT!r}); from harness.children.kernel import die_with; "
        "die_with(int(sys.argv[1])); os.execv(sys.argv[2], sys.argv[2:])"
    )
    return [sys.executable, "-I", "-S", "-c", code, str(os.getpid()), program, *command[1:]]


def send_function(connection: Connection, function: Callable[..., None], arguments: Sequence[Any]) -> None:
    """Sends what a new process is to run: `function(*arguments, connection)`, importable and picklable.

    A process that has ended already is noticed when it is waited for.
    """
    task = pickle.dumps((function, tuple(arguments)))
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.send_bytes(json.dumps(sys.path).encode())
        connection.send_bytes(task)


def ending(code: int | None) -> str:
    """How a process ended, from its exit code (negative: the signal), in words."""
    if code is not None and code < 0:
        return f"killed by {signal.Signals(-code).name}"
    return f"exit code {code}"


def receive(connection: Connection, ended: int, timeout_s: float | None) -> Any:
    """The next message of a process. ended: a descriptor that is ready when the process has ended.

    Raises TimeoutError, and EOFError when it has ended, even where another process holds the connection open.
    """
    ready = wait([connection, ended], timeout_s)
    if not ready:
        raise TimeoutError
    if connection not in ready and not connection.poll():
        raise EOFError
    try:
        return connection.recv()
    except ConnectionResetError as error:
        raise EOFError from error


@dataclass(frozen=True, slots=True)
class Child:
    """A process that runs a function of ours, and dies with this one (with the thread that started it)."""

    process: subprocess.Popen[bytes]
    connection: Connection
    mark: str  # in its environment, which its own children inherit
    ended: int  # a descriptor that is ready when the process has ended

    def receive(self, timeout_s: float | None = None) -> Any:
        """Its next message; see `receive`."""
        return receive(self.connection, self.ended, timeout_s)

    def exit_code(self) -> int:
        """Of a process that has ended or hung up."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return self.process.wait(_END_S)
        self.process.kill()
        return self.process.wait()

    def end(self, *, graceful: bool) -> None:
        """Ends it. graceful: it gets a little time to end by itself. Where it does not, what it has started is
        ended with it. To be called once.
        """
        self.connection.close()
        try:
            if graceful:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(_END_S)
                    return
            own = set(tree.living_below(self.process.pid))
            self.process.kill()
            self.process.wait()

            def left() -> list[int]:
                # Where orphans are adopted, those of a killed child are below this process.
                below = tree.living_below(os.getpid())
                return [pid for pid in below if pid in own or tree.environment(pid).get(_MARK) == self.mark]

            tree.end(left, lambda: _reap(own))
        finally:
            os.close(self.ended)


def _reap(candidates: Iterable[int]) -> None:
    """Waits for those that have become children of this process and have ended."""
    for pid in candidates:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def start(title: str, function: Callable[..., None], *arguments: Any) -> Child:
    """Starts `function(*arguments, connection)` in a new process, which prints where this one prints."""
    ours, theirs = Pipe()
    mark = f"{os.getpid()} {next(_numbers)}"
    command = [*function_command(theirs.fileno(), title), str(os.getpid())]
    with uninterrupted():
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), env=os.environ | {_MARK: mark}
        )
    theirs.close()  # so that the connection ends when the process does
    child = Child(process, ours, mark, os.pidfd_open(process.pid))
    try:
        send_function(ours, function, arguments)
    except BaseException:
        child.end(graceful=False)
        raise
    return child
