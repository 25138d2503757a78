"""Engines that answer no query, or take no write, for as long as a file is there."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from engines.base import Batch, Hits, Vectors
from engines.bruteforce.adapter import BruteForce
from engines.filters import Filter

VARIABLE = "HELD_FILE"


class Held(BruteForce):
    """Answers no query."""

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        _wait()
        return super().query(vector, k, where, exact=exact)


class HeldWrites(BruteForce):
    """Takes no write."""

    def index(self, batch: Batch) -> None:
        _wait()
        super().index(batch)


def _wait() -> None:
    """Looks for the file that the environment names every few milliseconds."""
    while Path(os.environ[VARIABLE]).exists():
        threading.Event().wait(0.005)
