"""How an index stands, and the folder that only one process may have."""

from __future__ import annotations

import fcntl
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from service.database.errors import StoreError


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """generation: the live collection's name. last_seq, applied: places in the outbox, of the truth and of the index.

    behind_s: for how long it has not been up with the truth; 0 while it is. failures, error: of applying changes, the
    latter "" once it works again. renewal_error: of the last rebuild that began by itself, "" where it went well.
    leftovers: collections that could not be removed yet. leads: whether this is of the process that keeps it up.
    """

    generation: str
    engine: str
    last_seq: int
    applied: int = 0
    behind_s: float = 0.0
    failures: int = 0
    error: str = ""
    rebuilding: bool = False
    renewal_error: str = ""
    leftovers: int = 0
    leads: bool = True


class FolderLock:
    """A folder, made if it is not there, that one process of this machine has at a time. Follows `Exclusive`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file: TextIO | None = None

    def take(self) -> bool:
        """Whether it is this process's now. Raises StoreError where the folder cannot be locked at all."""
        file = None
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            file = (self._folder / "lock").open("w")
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if file is not None:
                file.close()
            if isinstance(error, BlockingIOError):
                return False
            remedy = "name one on a disk of this machine that this account can write to"
            raise StoreError(f"{self._folder}: cannot be locked ({error.strerror}); {remedy}") from error
        self._file = file
        return True

    def held(self) -> bool:
        """Whether it still is."""
        return self._file is not None

    def release(self) -> None:
        """Gives it back, if it is held."""
        if self._file is not None:
            self._file.close()
            self._file = None
