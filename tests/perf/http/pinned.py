"""Processes kept to a core, and the processor time that they took."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.launch import UnavailableError


def two_cores() -> tuple[int, int]:
    """One for servers, one for who asks them. Raises UnavailableError where there is one only."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise UnavailableError("needs two processor cores, one for the server and one for who asks it")
    return cores[0], cores[1]


@contextmanager
def kept_to(core: int) -> Iterator[None]:
    """This thread, and every process that it starts meanwhile for as long as that lives."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def processor_s(pid: int) -> float:
    """What the threads of a process that are there have taken so far, in seconds."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
