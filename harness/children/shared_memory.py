"""System V shared memory, which the kernel keeps when its processes are killed. Linux only."""

from __future__ import annotations

import contextlib
import ctypes
from collections.abc import Container
from pathlib import Path

_IPC_RMID = 0
_LIST = Path("/proc/sysvipc/shm")


def remove_segments_of(pids: Container[int]) -> None:
    """Removes the segments that these processes have made and nobody uses any more. The processes have ended."""
    with contextlib.suppress(OSError, ValueError):
        head, *lines = _LIST.read_text().splitlines()
        names = head.split()
        for line in lines:
            segment = dict(zip(names, line.split(), strict=False))
            if int(segment["cpid"]) in pids and segment["nattch"] == "0":
                ctypes.CDLL(None).shmctl(int(segment["shmid"]), _IPC_RMID, None)
