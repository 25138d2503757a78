"""The processes of this machine as a tree, from /proc; and how everything below one of them is ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from harness.children.shared_memory import remove_segments_of

END_S = 10.0  # how long processes that were sent SIGKILL may take to end
_POLL_S = 0.005
_LONGEST_COMMAND = 200  # characters of a command in a message


class Stat(NamedTuple):
    """One process. started: moment of its start, in clock ticks since boot; with the id it tells processes apart.

    cpu_ticks: CPU time of it and of its children that have ended and been waited for, in clock ticks.
    """

    pid: int
    parent: int
    state: str
    started: int
    cpu_ticks: int

    @property
    def ended(self) -> bool:
        """Whether it has ended and only waits for its exit code to be read."""
        return self.state in "ZX"


def stat(pid: int) -> Stat | None:
    """A process by its id; None where there is none (any more)."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123  read ten times a second: a Path costs as much again
            fields = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    # man 5 proc counts from 1 and includes id and name: state is its field 3.
    cpu = sum(map(int, fields[11:15]))
    return Stat(pid, int(fields[1]), fields[0].decode(), int(fields[19]), cpu)


def pids() -> list[int]:
    """The ids of all processes."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208  names are all that is needed


def processes() -> dict[int, Stat]:
    """All processes by id."""
    found = (stat(pid) for pid in pids())
    return {one.pid: one for one in found if one is not None}


def below(roots: Iterable[int], everything: Mapping[int, Stat]) -> list[Stat]:
    """The descendants of `roots`, without these, parents before children."""
    children: dict[int, list[Stat]] = {}
    for one in everything.values():
        children.setdefault(one.parent, []).append(one)
    found: list[Stat] = []
    waiting = list(roots)
    while waiting:
        own = children.get(waiting.pop(), [])
        found += own
        waiting += [one.pid for one in own]
    return found


def command(pid: int) -> str:
    """What a process was started with, in one line of bounded length; empty where it has ended."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:  # noqa: PTH123
        return " ".join(file.read().decode(errors="replace").replace("\0", " ").split())[:_LONGEST_COMMAND]
    return ""


def environment(pid: int) -> dict[str, str]:
    """The environment a process was started with; empty where it has ended or is somebody else's."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123
        entries = file.read().decode(errors="replace").split("\0")
        return dict(entry.split("=", 1) for entry in entries if "=" in entry)
    return {}


def living_below(root: int) -> list[int]:
    """The ids of a process's descendants that have not ended."""
    return [one.pid for one in below([root], processes()) if not one.ended]


def reap() -> dict[int, int]:
    """Exit codes (negative: the signal) of children of this process that have ended, by id. Takes every child's,
    so it is for a process that starts none by other means.
    """
    ended = {}
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            ended[pid] = os.waitstatus_to_exitcode(status)
    return ended


def end(find: Callable[[], list[int]], reap_ended: Callable[[], object]) -> list[int]:
    """Kills what `find` returns until it returns nothing: a process may start another before it is killed itself.

    Returns what would not end within END_S (one that hangs in the kernel).
    """
    deadline = time.monotonic() + END_S
    killed: set[int] = set()
    while found := find():
        if time.monotonic() > deadline:
            return found
        killed |= set(found)
        for pid in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(_POLL_S)
        reap_ended()
    remove_segments_of(killed)
    return []
