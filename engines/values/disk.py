"""What persistent engines share: their directory, and a file in it that says what it holds."""

from __future__ import annotations

import shutil
from dataclasses import replace
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
    """Raises EngineError unless the directory holds a collection of this schema, model and index."""
    file = path / _NOTE
    if not file.exists():
        raise EngineError(f"{path} holds no collection, create one first")
    saved, _, model = file.read_text("utf-8").partition("\n")
    asked, *_ = _describe(schema, index).partition("\n")
    if model != schema.model:
        raise EngineError(
            f"{path} holds vectors of {_named(model)}, not of {_named(schema.model)}, and those of different models "
            "cannot be compared: create it again, or open it for the model that it was made with"
        )
    if saved != asked:
        raise EngineError(f"{path} holds another collection, create it again: it has {saved}, not {asked}")


def _describe(schema: Schema, index: BaseModel) -> str:
    """Two lines: schema and parameters, and the model."""
    return f"{replace(schema, model='')!r} {index!r}\n{schema.model}"


def _named(model: str) -> str:
    return f"model {model}" if model else "a model that is not named"


def used_bytes(path: Path) -> int:
    """What a directory occupies on disk; of sparse files only what is allocated."""
    return sum(file.lstat().st_blocks * 512 for file in path.rglob("*") if file.is_file())
