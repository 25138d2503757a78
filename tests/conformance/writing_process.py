"""A process that writes to an engine until it is killed: `python -m tests.conformance.writing_process NAME INDEX PATH`.

It prints how many steps have been acknowledged, one line each. What the collection then holds is `expected(steps)`.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path

import numpy as np

from engines.base import Batch, Field, Schema
from engines.registry import load

SCHEMA = Schema(4, "l2", (Field("step", "integer"),))
NEW_IDS = 50  # of each step, which also replaces one item of the step before and deletes another


def batch(step: int) -> Batch:
    """The items that a step writes: new ones, and the first of the step before once more."""
    ids = np.arange(step * NEW_IDS - (step > 0) * NEW_IDS, (step + 1) * NEW_IDS)
    ids = np.concatenate([ids[:1], ids[-NEW_IDS:]]) if step else ids
    vectors = np.full((len(ids), 4), step, np.float32) + ids[:, None].astype(np.float32) / 1000
    return Batch(ids, vectors, {"step": np.full(len(ids), step)})


def expected(steps: int) -> dict[int, int]:
    """id -> the step that wrote it last, after so many steps."""
    held: dict[int, int] = {}
    for step in range(steps):
        held |= dict.fromkeys(batch(step).ids.tolist(), step)
        held.pop(step * NEW_IDS + 1)
    return held


def main(name: str, index: str, path: str) -> None:
    kind = load(name)
    engine = kind(Path(path), kind.IndexParams(**json.loads(index)))
    engine.create(SCHEMA)
    for step in count():
        engine.index(batch(step))
        engine.delete(np.array([step * NEW_IDS + 1]))
        print(step + 1, flush=True)  # noqa: T201 - whoever kills this process reads it


if __name__ == "__main__":
    main(*sys.argv[1:])
