"""A file of what a store holds, which appears whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import DatasetError, unwritable


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Another file to write to, which takes the place of `path` at the end, and is removed after an error.

    Raises DatasetError where it cannot be written.
    """
    partial = path.with_name(f"{path.name}.partial")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        raise DatasetError(f"{path}: {unwritable(error)}") from error
    finally:
        partial.unlink(missing_ok=True)
