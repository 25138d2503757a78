"""A run's folder belongs to one process at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from harness.errors import ConfigurationError, MeasurementError, unwritable

LOCK = ".lock"


@contextlib.contextmanager
def locked(run: Path) -> Iterator[None]:
    """Holds the folder, which is made if need be, for this process; a folder that stays empty is removed again.

    The kernel keeps the lock (flock), so it ends with the process, however that ends: the file that a killed process
    leaves locks nothing. On a network file system it holds between machines only where that passes locks on (NFS
    version 4 does). Raises ConfigurationError, naming the owner, where another process holds it; MeasurementError
    where the folder cannot be written.
    """
    made = not run.exists()
    try:
        run.mkdir(parents=True, exist_ok=True)
        descriptor = _acquire(run / LOCK)
    except OSError as error:
        raise MeasurementError(f"{run}: {unwritable(error)}, or name another with --out") from error
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (run / LOCK).unlink()
        os.close(descriptor)
        if made:
            with contextlib.suppress(OSError):
                run.rmdir()


def _acquire(path: Path) -> int:
    """The descriptor that holds the lock."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode())
                return descriptor
        except OSError as error:
            owner = os.pread(descriptor, 300, 0).decode(errors="replace").strip()
            os.close(descriptor)
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
            raise ConfigurationError(
                f"{path.parent}: {owner or 'another process'} is writing a run into it; wait until that has ended, "
                f"or name another folder with --out"
            ) from error
        os.close(descriptor)  # its owner removed the file between our opening and locking it


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
