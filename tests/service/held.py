"""An engine that answers no query for as long as a file is there."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from engines.base import Hits, Vectors
from engines.bruteforce.adapter import BruteForce
from engines.filters import Filter

VARIABLE = "HELD_FILE"


class Held(BruteForce):
    """Looks for the file that the environment names every few milliseconds."""

    def query(self, vector: Vectors, k: int, where: Filter | None = None, *, exact: bool = False) -> Hits:
        while Path(os.environ[VARIABLE]).exists():
            threading.Event().wait(0.005)
        return super().query(vector, k, where, exact=exact)
