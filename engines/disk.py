"""What persistent engines share: their directory, and the schema that is kept beside their files."""

from __future__ import annotations

import shutil
from pathlib import Path

from engines.base import EngineError, Schema

_SCHEMA_FILE = "schema.txt"


def begin(path: Path, schema: Schema) -> None:
    """Empties an engine's directory and notes the schema of the collection that goes there."""
    for entry in path.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    (path / _SCHEMA_FILE).write_text(repr(schema), "utf-8")


def verify(path: Path, schema: Schema) -> None:
    """Raises EngineError unless the directory holds a collection of this schema."""
    file = path / _SCHEMA_FILE
    if not file.exists():
        raise EngineError(f"{path} holds no collection, create one first")
    saved = file.read_text("utf-8")
    if saved != repr(schema):
        raise EngineError(f"{path} holds a collection of {saved}, not of {schema!r}; create it again")


def used_bytes(path: Path) -> int:
    """What a directory occupies on disk; of sparse files only what is allocated."""
    return sum(file.lstat().st_blocks * 512 for file in path.rglob("*") if file.is_file())
