"""CPU seconds, resident memory and disk of an engine that runs in this process (and its children)."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

import numpy as np
import psutil


def _tree() -> list[psutil.Process]:
    me = psutil.Process()
    return [me, *me.children(recursive=True)]


def cpu_s() -> float:
    """CPU seconds, user and system, of this process and its live and reaped children."""
    total = 0.0
    for process in _tree():
        try:
            times = process.cpu_times()
        except psutil.Error:
            continue  # a child that ended in between is in its parent's children_user once reaped
        total += times.user + times.system
        if process.pid == os.getpid():
            total += times.children_user + times.children_system
    return total


def rss_bytes() -> int:
    """Resident memory of this process and its children."""
    total = 0
    for process in _tree():
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


class PeakMemory:
    """The peak of resident memory since `start`, from the kernel's high-water marks: nothing is sampled.

    Several processes' peaks are added up, an upper bound of the peak of their sum.
    """

    def start(self) -> None:
        """Resets the marks to the present level (Linux)."""
        for process in _tree():
            try:
                Path(f"/proc/{process.pid}/clear_refs").write_text("5")
            except OSError:
                continue

    def bytes(self) -> int | None:
        """The peak, or None where the kernel does not tell (no /proc)."""
        total = 0
        for process in _tree():
            try:
                status = Path(f"/proc/{process.pid}/status").read_text()
            except OSError:
                return None if process.pid == os.getpid() else total
            mark = next((line for line in status.splitlines() if line.startswith("VmHWM:")), None)
            total += int(mark.split()[1]) * 1024 if mark else 0
        return total or None


def disk_bytes(path: Path) -> int:
    """Bytes allocated on disk below `path` (blocks, so that sparse files count for what they take)."""
    return sum(file.stat().st_blocks * 512 for file in path.rglob("*") if file.is_file())


def release(array: np.ndarray) -> None:
    """Lets go of the resident pages of a memory-mapped array, so that the dataset is not counted as an
    engine's memory; they are read again from the page cache when needed. Other arrays are left alone."""
    base: object = array
    while isinstance(base, np.ndarray):
        base = base.base
    if isinstance(base, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        base.madvise(mmap.MADV_DONTNEED)
