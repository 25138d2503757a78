"""CPU seconds and resident memory of an engine that runs in this process (and its children)."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import mmap
import os
import resource
from pathlib import Path

import numpy as np
import psutil


def _children() -> list[psutil.Process]:
    """Live descendants. Asking the kernel for them costs microseconds, searching all processes milliseconds."""
    with contextlib.suppress(OSError):  # the kernel does not report them, or a thread has just ended
        if not any((task / "children").read_text().strip() for task in Path("/proc/self/task").iterdir()):
            return []
    return psutil.Process().children(recursive=True)


def cpu_s() -> float:
    """CPU seconds, user and system, of this process and of its live and reaped children."""
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    for child in _children():
        with contextlib.suppress(psutil.Error):  # one that has just ended counts as reaped
            times = child.cpu_times()
            total += times.user + times.system
    return total


def rss_bytes() -> int:
    """Resident memory of this process and its children."""
    total: int = psutil.Process().memory_info().rss
    for child in _children():
        with contextlib.suppress(psutil.Error):
            total += child.memory_info().rss
    return total


def give_back_freed_memory() -> None:
    """Has the C library return what was freed to the system (glibc), so that it does not look like memory in use."""
    gc.collect()
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


def _tree() -> list[int]:
    return [os.getpid(), *(child.pid for child in _children())]


class PeakMemory:
    """The peak of resident memory since `start`, from the kernel's high-water marks: nothing is sampled.

    Several processes' peaks are added up, an upper bound of the peak of their sum.
    """

    def start(self) -> None:
        """Resets the marks to the present level (Linux)."""
        for pid in _tree():
            try:
                Path(f"/proc/{pid}/clear_refs").write_text("5")
            except OSError:
                continue

    def bytes(self) -> int | None:
        """The peak, or None where the kernel does not report it (no /proc)."""
        total = 0
        for pid in _tree():
            try:
                status = Path(f"/proc/{pid}/status").read_text()
            except OSError:
                return None if pid == os.getpid() else total
            mark = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
            total += int(mark.split()[1]) * 1024 if mark else 0
        return total or None


def release(array: np.ndarray) -> None:
    """Drops the resident pages of a memory-mapped array, so that the dataset is not counted as an
    engine's memory; they are read again from the page cache when needed. Other arrays are left alone.
    """
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
