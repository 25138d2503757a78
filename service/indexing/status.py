"""How an index stands, and the folder that only one process may have."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from harness.errors import ConfigurationError


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """generation: the live collection's name. last_seq, applied: places in the outbox, of the truth and of the index.

    behind_s: for how long it has not been up with the truth; 0 while it is. failures, error: of applying changes, the
    latter "" once it works again. renewal_error: of the last rebuild that began by itself, "" where it went well.
    leftovers: collections that could not be removed yet.
    """

    generation: str
    engine: str
    last_seq: int
    applied: int
    behind_s: float
    failures: int
    error: str
    rebuilding: bool
    renewal_error: str
    leftovers: int


def owned(folder: Path) -> TextIO:
    """Makes a folder this process' own until what is returned is closed, or the process ends in whatever way.

    Raises ConfigurationError where it is another's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / "lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise ConfigurationError(
            f"{folder}: another process has the index there open; end it, or name another folder"
        ) from error
    return lock
