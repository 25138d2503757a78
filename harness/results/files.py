"""Files that survive a crash: written whole or not at all, or grown line by line."""

from __future__ import annotations

import contextlib
import io
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from harness.errors import MeasurementError, unwritable


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[TextIO]:
    """A file to write the new text to; when the block ends, it takes the place of the old file, whole.

    What UTF-8 cannot hold (a lone surrogate in a server's message) is written as its escape. Raises MeasurementError,
    and the old file stays.
    """
    with replacing_bytes(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="")
        yield text
        text.detach()


@contextlib.contextmanager
def replacing_bytes(path: Path) -> Iterator[BinaryIO]:
    """The same for bytes."""
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            raise _unwritten(path, error) from error
        raise


def write_text(path: Path, text: str) -> None:
    """Writes a file so that it is either the old or the new one, whole. Raises MeasurementError."""
    write_parts(path, (text,))


def write_parts(path: Path, parts: Iterable[str]) -> None:
    """The same for a text that comes in parts, so that a long one need not be held in memory."""
    with replacing(path) as file:
        file.writelines(parts)


def write_json(path: Path, data: Any) -> None:
    """Writes JSON as `write_text` does. Raises MeasurementError; ValueError for NaN and infinity, which are
    never figures.
    """
    write_text(path, json.dumps(data, indent=1, allow_nan=False) + "\n")


def append_line(path: Path, line: str) -> None:
    """Adds one line to a file; it is on the disk afterwards.

    Raises MeasurementError; the file is then cut back to what it held before, if possible.
    """
    data = memoryview(f"{line}\n".encode())
    try:
        with path.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                while data:
                    data = data[file.write(data) :]
                os.fsync(file.fileno())
            except OSError:
                with contextlib.suppress(OSError):
                    file.truncate(before)
                raise
    except OSError as error:
        raise _unwritten(path, error) from error


def _unwritten(path: Path, error: OSError) -> MeasurementError:
    return MeasurementError(f"{path}: {unwritable(error)} and try again; a run goes on with --resume")
