"""Shared memory that killed processes leave is removed, and no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from harness.children.shared_memory import remove_segments_of

LIST = Path("/proc/sysvipc/shm")
MAKE = "import ctypes, os; print(ctypes.CDLL(None).shmget(0, 4096, 0o1600), os.getpid())"


@pytest.mark.skipif(not LIST.exists(), reason="no System V shared memory here")
def test_segments_of_ended_processes_are_removed_and_others_are_not() -> None:
    def made() -> tuple[str, int]:
        done = subprocess.run([sys.executable, "-c", MAKE], capture_output=True, text=True, check=True)
        segment, pid = done.stdout.split()
        return segment, int(pid)

    def there(segment: str) -> bool:
        return segment in [line.split()[1] for line in LIST.read_text().splitlines()[1:]]

    (mine, pid), (others, other_pid) = made(), made()
    assert there(mine)
    assert there(others)
    remove_segments_of({pid})
    assert not there(mine)
    assert there(others)
    remove_segments_of([other_pid])
    assert not there(others)
