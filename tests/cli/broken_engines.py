"""Engines that go wrong in the ways real ones do, and one that several processes share, for tests."""

from __future__ import annotations

import os
import pickle
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from engines.base import Capabilities, EngineStats, Hits, Schema
from engines.bruteforce.adapter import BruteForce


class Shared(BruteForce):
    """Several processes may open what `refresh` left on disk."""

    capabilities = Capabilities(thread_safe=True, persistent=True, multi_process=True)

    def __init__(self, path: Path, index: BaseModel) -> None:
        self.file = path / "items.pickle"

    def refresh(self) -> None:
        self.file.write_bytes(pickle.dumps((self._store, self._vectors, self._squares, self._longest)))

    def open(self, schema: Schema) -> None:
        self._store, self._vectors, self._squares, self._longest = pickle.loads(self.file.read_bytes())


class Crashing(BruteForce):
    """Its process dies at the first query, as after a segmentation fault."""

    def query(self, *arguments: Any, **options: Any) -> Hits:
        os.abort()


class Hanging(BruteForce):
    """Never answers."""

    def query(self, *arguments: Any, **options: Any) -> Hits:
        time.sleep(3600)
        raise AssertionError


class Raising(BruteForce):
    """Every third query fails."""

    asked = 0

    def query(self, *arguments: Any, **options: Any) -> Hits:
        self.asked += 1
        if self.asked % 3 == 0 and not options.get("exact"):
            raise RuntimeError("out of luck")
        return super().query(*arguments, **options)


class Leaking(BruteForce):
    """Fast, and ignores the filter: its exact mode obeys, its approximate one does not."""

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        return super().query(vector, k, where if exact else None, exact=exact)


class Inexact(BruteForce):
    """Its exact mode is not exact: it leaves out the best hit."""

    def query(self, vector: Any, k: int, where: Any = None, *, exact: bool = False) -> Hits:
        ids, scores = super().query(vector, k + 1, where, exact=exact)
        return Hits(ids[1:], scores[1:])


class Forgetful(BruteForce):
    """Acknowledges deletes and keeps the items."""

    def delete(self, ids: Any) -> None:
        return


class Upgradable(BruteForce):
    """On a server, whose version is what the environment says."""

    capabilities = Capabilities(thread_safe=True, server=True)

    def stats(self) -> EngineStats:
        return replace(
            super().stats(), server=f"Server {os.environ['TEST_SERVER_VERSION']}", query_path="none"
        )

    def drop(self) -> None:
        self.close()


class Vandal(BruteForce):
    """Its errors hold what steers a terminal, what cannot be written, and a password."""

    def index(self, batch: Any) -> None:
        raise RuntimeError(f"\x1b[2J\x07\x9b31m\u202e {os.environ['BAKEOFF_X_PASSWORD']}\ud800")


class SlowToIndex(BruteForce):
    """Takes its time to build the index."""

    def refresh(self) -> None:
        time.sleep(4)
