"""The System V segment by which PostgreSQL marks a data directory as in use; it outlives a server that is killed."""

from __future__ import annotations

import ctypes
import time
from contextlib import suppress
from pathlib import Path

_LIST = Path("/proc/sysvipc/shm")
_IPC_RMID = 0
_DETACHED_S = 2.0  # within which processes that were killed have let go of it


def remove_segment(inode: int) -> None:
    """Removes the segment of a data directory, by its inode number, whose server has ended; none is no error.

    That number is the key of the segment (PostgreSQL's src/backend/port/sysv_shmem.c). A segment that a process stays
    attached to is left alone.
    """
    with suppress(OSError, ValueError):
        deadline_s = time.monotonic() + _DETACHED_S
        while (segment := _segment(inode)) and segment["nattch"] != "0" and time.monotonic() < deadline_s:
            time.sleep(0.02)
        if segment and segment["nattch"] == "0":
            ctypes.CDLL(None).shmctl(int(segment["shmid"]), _IPC_RMID, None)


def _segment(key: int) -> dict[str, str] | None:
    head, *lines = _LIST.read_text("utf-8").splitlines()
    segments = (dict(zip(head.split(), line.split(), strict=False)) for line in lines)
    return next((segment for segment in segments if int(segment["key"]) == key), None)
