"""Dead letters: what could not be written, with the reasons, for somebody to look at and bring again."""

from __future__ import annotations

import fcntl
import json
import mmap
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from harness.errors import BakeoffError, ConfigurationError, unwritable
from service.catalogue.schema import Problem

LETTERS = "dead-letters.ndjson"  # their file in the folder of the catalogue, unless it is named
_BEGIN = b'{"time": '  # of every letter


class LettersError(BakeoffError):
    """Dead letters could not be kept; none of them was."""


@dataclass(frozen=True, slots=True)
class Letter:
    """source: a file's path, or a topic. The others as in `Record`."""

    source: str
    place: Mapping[str, int]
    received: Mapping[str, Any]
    problems: Sequence[Problem]


class DeadLetters:
    """A file with one letter a line, in JSON. Several processes may write to it, and it may be moved away at any time.

    Raises ConfigurationError where it cannot be written to or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with self._opened() as file:
                file.seek(0)
                first = file.read(len(_BEGIN))
        except OSError as error:
            raise ConfigurationError(f"{path}: {unwritable(error)}") from error
        if not _BEGIN.startswith(first):
            raise ConfigurationError(f"{path}: holds no dead letters; name another file for them")

    def add(self, letters: Sequence[Letter]) -> None:
        """Returns once they are on the disk. Raises LettersError."""
        try:
            with self._opened() as file:
                size = _without_remains(file)
                try:
                    left = memoryview(b"".join(map(_line, letters)))
                    while left:
                        left = left[file.write(left) :]
                    os.fsync(file.fileno())
                except OSError:
                    os.ftruncate(file.fileno(), size)
                    raise
        except OSError as error:
            raise LettersError(f"{self.path}: {unwritable(error)}") from error

    @contextmanager
    def _opened(self) -> Iterator[BinaryIO]:
        """The file, for this process alone."""
        new = not self.path.exists()
        # Unbuffered: what could not be written is not tried again when the file is closed.
        with self.path.open("a+b", buffering=0) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if new:
                _sync_folder(self.path.parent)
            yield cast(BinaryIO, file)


def _without_remains(file: BinaryIO) -> int:
    """Takes away a line that a process began and did not live to end; the size in bytes that is left."""
    size = file.seek(0, os.SEEK_END)
    if not size:
        return 0
    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        whole = content.rfind(b"\n") + 1
    if whole < size:
        os.ftruncate(file.fileno(), whole)
    return whole


def _line(letter: Letter) -> bytes:
    values = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "source": letter.source,
        **letter.place,
        "problems": [{"field": one.field, "detail": one.detail} for one in letter.problems],
    }
    try:
        line = json.dumps({**values, **letter.received}, allow_nan=False, default=str)
    except ValueError:  # of NaN, which a Parquet file may hold and JSON has no word for
        line = json.dumps({**values, "text": json.dumps(letter.received, default=str)})
    return line.encode() + b"\n"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
