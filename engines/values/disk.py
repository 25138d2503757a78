"""What persistent engines share: their directory, and a file in it that says what it holds."""

from __future__ import annotations

import shutil
from pathlib import Path

from pydantic import BaseModel

from engines.base import EngineError, Schema

_NOTE = "collection.txt"


def begin(path: Path, schema: Schema, index: BaseModel) -> None:
    """Empties an engine's directory and notes which collection goes there."""
    for entry in path.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    (path / _NOTE).write_text(_describe(schema, index), "utf-8")


def verify(path: Path, schema: Schema, index: BaseModel) -> None:
    """Raises EngineError unless the directory holds a collection of this schema and index."""
    file = path / _NOTE
    if not file.exists():
        raise EngineError(f"{path} holds no collection, create one first")
    saved, asked = file.read_text("utf-8"), _describe(schema, index)
    if saved != asked:
        raise EngineError(f"{path} holds another collection, create it again: it has {saved}, not {asked}")


def _describe(schema: Schema, index: BaseModel) -> str:
    return f"{schema!r} {index!r}"


def used_bytes(path: Path) -> int:
    """What a directory occupies on disk; of sparse files only what is allocated."""
    return sum(file.lstat().st_blocks * 512 for file in path.rglob("*") if file.is_file())
