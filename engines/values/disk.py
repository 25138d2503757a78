"""What engines that keep files share: their directory, and a file in it that says what it holds."""

from __future__ import annotations

import shutil
from pathlib import Path

from pydantic import BaseModel

from engines.base import EngineError, Schema
from engines.values.contents import contents, require_contents

_NOTE = "collection.json"


def begin(path: Path, schema: Schema, index: BaseModel) -> None:
    """Empties an engine's directory and notes which collection goes there."""
    for entry in path.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()
    (path / _NOTE).write_text(contents(schema, index), "utf-8")


def verify(path: Path, schema: Schema, index: BaseModel) -> None:
    """Raises EngineError unless the directory holds a collection of this schema, model and index."""
    if not any(path.iterdir()):
        raise EngineError(f"{path} holds no collection, create one first")
    file = path / _NOTE
    found = file.read_text("utf-8") if file.exists() else None
    require_contents(f"{path} (by its {_NOTE})", found, schema, index)


def used_bytes(path: Path) -> int:
    """What a directory occupies on disk; of sparse files only what is allocated."""
    return sum(file.lstat().st_blocks * 512 for file in path.rglob("*") if file.is_file())
