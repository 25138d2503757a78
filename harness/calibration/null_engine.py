"""Engines that do nothing, to measure what the harness itself costs. They are in no registry."""

from __future__ import annotations

from pathlib import Path
from time import sleep
from typing import ClassVar

from pydantic import BaseModel

from engines.base import Batch, Capabilities, EngineStats, Hits, Ids, Schema, Vectors
from engines.filters import Filter


class NoParams(BaseModel):
    """It has none."""


class NullEngine:
    """Answers every query at once with the same k ids."""

    capabilities: Capabilities = Capabilities(thread_safe=True, multi_process=True)
    IndexParams: ClassVar[type[BaseModel]] = NoParams
    SearchParams: ClassVar[type[BaseModel]] = NoParams

    def __init__(self, path: Path = Path(), index: BaseModel | None = None, *, k: int = 10) -> None:
        self._hits = Hits(list(range(k)), [0.0] * k)

    @classmethod
    def version(cls) -> str:
        return "1"

    def create(self, schema: Schema) -> None:
        pass

    def open(self, schema: Schema) -> None:
        pass

    def configure(self, search: BaseModel) -> None:
        pass

    def index(self, batch: Batch) -> None:
        pass

    def refresh(self) -> None:
        pass

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        return self._hits

    def delete(self, ids: Ids) -> None:
        pass

    def count(self) -> int:
        return 0

    def stats(self) -> EngineStats:
        return EngineStats(vectors=0)

    def close(self) -> None:
        pass


class SleepingEngine(NullEngine):
    """Answers every query after a fixed time in which it lets other threads run."""

    def __init__(self, *, service_s: float = 0.001, k: int = 10) -> None:
        super().__init__(k=k)
        self._service_s = service_s

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        sleep(self._service_s)
        return self._hits
