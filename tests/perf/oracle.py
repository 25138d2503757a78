"""The oracle beside faiss.knn, NumPy with argpartition and the bare matrix product; grouped filters beside masks.

All in one process, in turn, so that the machine's noise falls on all alike. Both libraries bring their own
OpenBLAS, and old ones misjudge new processors: the kernel that each runs is printed, for a ratio says little where
one of them was left with a kernel for another machine. OPENBLAS_CORETYPE sets it for both.
"""

from __future__ import annotations

import ctypes
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt

from engines.columns import Keywords
from engines.filters import Eq
from harness.oracle.exact import exact_neighbours

Float32 = npt.NDArray[np.float32]
QUERIES, K, ROUNDS = 1000, 100, 5


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit: medians of the rounds, in seconds."""
    rng = np.random.default_rng(0)
    rows = _unfiltered("200k x 128", rng.standard_normal((200_000, 128), dtype=np.float32), rng)
    images = rng.integers(0, 256, (60_000, 784)).astype(np.float32)
    rows += _unfiltered("60k x 784", images, rng)
    rows.append(_filtered(rng))
    return rows


def _unfiltered(size: str, vectors: Float32, rng: np.random.Generator) -> list[dict[str, Any]]:
    # Queries of the same distribution: rows of another order, every component drawn from another row.
    queries = rng.permuted(vectors[:QUERIES], axis=0)
    times = _rounds(
        {
            "ours": lambda: exact_neighbours(vectors, queries, K, "l2"),
            "faiss.knn": lambda: faiss.knn(queries, vectors, K),
            "bare matrix product": lambda: _products(queries, vectors),
            "numpy argpartition": lambda: _argpartition(queries, vectors),
        }
    )
    found = exact_neighbours(vectors, queries, K, "l2").ids
    agreement = float((found == faiss.knn(queries, vectors, K)[1]).mean())
    note = f"at most 1; kernels: {_kernels()}; same neighbour at {agreement:.2%} of the places"
    name = f"oracle, top {K} of {QUERIES:,} queries over {size}"
    return [
        _row(f"{name} / {other}", times["ours"], times[other], "s", note if other == "faiss.knn" else "")
        for other in ("faiss.knn", "bare matrix product", "numpy argpartition")
    ]


def _filtered(rng: np.random.Generator) -> dict[str, Any]:
    vectors = rng.standard_normal((200_000, 128), dtype=np.float32)
    queries = rng.standard_normal((QUERIES, 128), dtype=np.float32)
    codes = rng.integers(0, 50, len(vectors)).astype(np.int32)
    words = np.array([f"brand-{code:02}" for code in range(50)], dtype=object)
    wanted = rng.integers(0, 50, QUERIES).tolist()
    filters = [Eq("brand", str(words[code])) for code in wanted]
    columns = {"brand": Keywords(codes, words)}
    times = _rounds(
        {
            "ours": lambda: exact_neighbours(vectors, queries, K, "l2", filters, columns),
            "masks": lambda: [
                _argpartition(query[None], vectors[np.flatnonzero(codes == code)])
                for query, code in zip(queries, wanted, strict=True)
            ],
        }
    )
    name = f"oracle, 50 keyword filters of 2 %, {QUERIES:,} queries / integer masks"
    return _row(name, times["ours"], times["masks"], "s", "at most 0.125: at least 8 times as fast")


def _rounds(contestants: dict[str, Callable[[], object]]) -> dict[str, list[float]]:
    """Seconds by contestant, measured in turn after one round to warm up."""
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(ROUNDS + 1):
        for name, run in contestants.items():
            time.sleep(0.2)  # the threads of the one before spin on for a while, on the cores of this one
            start_ns = time.perf_counter_ns()
            run()
            if number:
                times[name].append((time.perf_counter_ns() - start_ns) / 1e9)
    return times


def _row(name: str, ours: list[float], reference: list[float], unit: str, note: str) -> dict[str, Any]:
    # The ratio is taken within each round: what disturbs a round disturbs both.
    ratio = statistics.median(a / b for a, b in zip(ours, reference, strict=True))
    mine, other = statistics.median(ours), statistics.median(reference)
    return {"name": name, "ours": mine, "reference": other, "ratio": ratio, "unit": unit, "note": note}


def _products(queries: Float32, vectors: Float32, block: int = 4096) -> None:
    out = np.empty((len(queries), block), dtype=np.float32)
    for first in range(0, len(vectors), block):
        rows = vectors[first : first + block]
        np.matmul(queries, rows.T, out=out[:, : len(rows)])


def _argpartition(queries: Float32, vectors: Float32) -> npt.NDArray[np.int64]:
    scores = np.einsum("ij,ij->i", vectors, vectors) - 2 * (queries @ vectors.T)
    best = np.argpartition(scores, K, axis=1)[:, :K]
    order = np.argsort(np.take_along_axis(scores, best, axis=1), axis=1)
    return np.take_along_axis(best, order, axis=1)


def _kernels() -> str:
    """The OpenBLAS kernels in this process, as `library kernel`."""
    libraries = {
        line.split()[-1] for line in Path("/proc/self/maps").read_text().splitlines() if "openblas" in line
    }
    found = []
    for path in sorted(libraries):
        owner = Path(path).parent.name.partition(".")[0].partition("_")[0]
        library = ctypes.CDLL(path)
        for name in ("openblas_get_corename", "scipy_openblas_get_corename64_"):
            if hasattr(library, name):
                function = getattr(library, name)
                function.restype = ctypes.c_char_p
                found.append(f"{owner} {function().decode()}")
    return ", ".join(found) or "no OpenBLAS"


if __name__ == "__main__":
    from tests.perf.table import show

    show(figures())
