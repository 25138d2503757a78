"""Files that are either the old or the new one, whole."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from harness.errors import MeasurementError, unwritable


def write_text(path: Path, text: str) -> None:
    """Writes a file so that it is either the old or the new one, whole. Raises MeasurementError."""
    temporary = path.with_name(path.name + ".part")
    try:
        with temporary.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise MeasurementError(
            f"{path}: {unwritable(error)} and try again; a run goes on with --resume"
        ) from error


def write_json(path: Path, data: Any) -> None:
    """Writes JSON as `write_text` does. Raises MeasurementError; ValueError for NaN and infinity, which are
    never figures.
    """
    write_text(path, json.dumps(data, indent=1, allow_nan=False) + "\n")
