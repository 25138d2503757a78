"""Engines with one fault each that only the order of tasks, or durability, brings to light, beside a correct twin."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from engines.base import Batch, Capabilities, Hits, Ids, Schema
from engines.bruteforce.adapter import BruteForce


class Kept(BruteForce):
    """Correct: what `close` writes is what `open` finds, and every write is on disk before it is acknowledged."""

    capabilities: ClassVar = Capabilities(thread_safe=True, persistent=True)
    file: Path

    def __init__(self, path: Path, index: BaseModel) -> None:
        self.file = path / "items.pickle"

    def write(self) -> None:
        part = self.file.with_suffix(".part")
        part.write_bytes(pickle.dumps((self._store, self._vectors, self._squares, self._longest)))
        part.replace(self.file)

    def acknowledge(self) -> None:
        self.write()

    def index(self, batch: Batch) -> None:
        super().index(batch)
        self.acknowledge()

    def delete(self, ids: Ids) -> None:
        super().delete(ids)
        self.acknowledge()

    def open(self, schema: Schema) -> None:
        self._store, self._vectors, self._squares, self._longest = pickle.loads(self.file.read_bytes())

    def close(self) -> None:
        self.write()


class WrittenOnClose(Kept):
    """Acknowledges writes that are in memory only."""

    def acknowledge(self) -> None:
        pass


class LastBatchLost(Kept):
    """Closes with what was there before the last batch: without it, and with what was deleted since."""

    before_last: bytes | None = None

    def index(self, batch: Batch) -> None:
        self.before_last = self.file.read_bytes() if self.file.exists() else None
        super().index(batch)

    def close(self) -> None:
        if self.before_last is not None:
            self.file.write_bytes(self.before_last)


class AnswersKept(BruteForce):
    """Remembers answers by query and filter, also across writes."""

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        if not hasattr(self, "answers"):
            self.answers: dict[Any, Hits] = {}
        key = (vector.tobytes(), where, k)
        if exact or key not in self.answers:
            self.answers[key] = super().query(vector, k, where)
        return self.answers[key]
