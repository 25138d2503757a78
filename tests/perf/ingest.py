"""Loading a server through an adapter and through VectorDBBench's client, side by side on one server.

VectorDBBench runs in a Python of its own, that of BAKEOFF_VDBB_PYTHON: `pip install 'vectordb-bench[pgvector]'
'elasticsearch<10' opensearch-py qdrant-client`. Without it, its figures are missing. Rounds alternate; the median of
each is shown.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np

from tests.perf.clients import row
from tests.servers.launch import UnavailableError

# What every script of theirs begins with. Making lists of the vectors is not timed.
_BEGIN = """
import sys, time
from concurrent.futures import ThreadPoolExecutor
import numpy as np
from vectordb_bench.backend.clients.api import MetricType
target, file, size, in_flight = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
vectors = np.load(file)
batches = [(vectors[i : i + size].tolist(), list(range(i, i + size))) for i in range(0, len(vectors), size)]
"""


class Case(NamedTuple):
    """So many vectors, in requests of `size`, so many of them at once."""

    dim: int
    rows: int
    size: int
    in_flight: int


class Contest(NamedTuple):
    """An engine and how it is loaded.

    ours: loads the vectors, with a directory at its disposal, and returns seconds or bytes, one for each of `labels`.
    theirs: the end of a script that prints as many, with `target` in its hands.
    """

    engine: str
    target: str
    ours: Callable[[Path, np.ndarray, Case], list[float]]
    theirs: str
    labels: Sequence[str] = ("written",)
    number: int = 3


def compare(contest: Contest, cases: Sequence[Case]) -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit: of seconds vectors a second, but for labels that end with "CPU"
    (microseconds a vector) or "bytes" (a vector).
    """
    with tempfile.TemporaryDirectory(prefix="bakeoff-ingest-") as folder:
        return [found for case in cases for found in _case(Path(folder), contest, case)]


def _case(folder: Path, contest: Contest, case: Case) -> list[dict[str, Any]]:
    vectors = np.random.default_rng(0).standard_normal((case.rows, case.dim), dtype=np.float32)
    file, own = folder / "vectors.npy", folder / "ours"
    np.save(file, vectors)
    own.mkdir(exist_ok=True)
    ours, theirs = [], []
    for _ in range(contest.number):
        ours.append(contest.ours(own, vectors, case))
        theirs.append(_their_seconds(contest, file, case))
    name = f"{contest.engine}: load {case.dim}-d, {case.size} a request, {case.in_flight} in flight"
    rows = []
    for part, label in enumerate(contest.labels):
        unit = {"CPU": "us", "bytes": "bytes"}.get(label.rpartition(" ")[2], "vectors/s")
        mine, reference = (
            _figure([found[part] for found in runs if found], case.rows, unit) for runs in (ours, theirs)
        )
        assert mine is not None
        rows.append(row(f"{name}; {label}", mine, reference, unit))
    return rows


def _figure(found: list[float], vectors: int, unit: str) -> float | None:
    """The median of seconds or bytes, as a figure of one vector."""
    if not found:
        return None
    if unit == "vectors/s":
        return vectors / median(found)
    return median(found) / vectors * (1e6 if unit == "us" else 1)


def _their_seconds(contest: Contest, file: Path, case: Case) -> list[float]:
    python = os.environ.get("BAKEOFF_VDBB_PYTHON")
    if not python:
        return []
    command = [python, "-c", _BEGIN + contest.theirs, contest.target, str(file), *map(str, case[2:])]
    # In the temporary directory, for it leaves a folder of logs where it runs.
    run = subprocess.run(command, capture_output=True, text=True, check=False, cwd=file.parent)
    if run.returncode:
        last = run.stderr.strip().splitlines()[-1:]
        raise UnavailableError(f"VectorDBBench failed: {' '.join(last)}")
    return [float(word) for word in run.stdout.split()[-len(contest.labels) :]]
