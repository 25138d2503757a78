"""How long `bakeoff --help` takes, beside an empty Python."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any


def _seconds(command: list[str]) -> float:
    start_ns = time.perf_counter_ns()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return (time.perf_counter_ns() - start_ns) / 1e9


def figures(rounds: int = 11) -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit; medians of interleaved rounds."""
    ours, empty = [], []
    for _ in range(rounds):
        ours.append(_seconds([sys.executable, "-m", "harness.cli", "--help"]) * 1e3)
        empty.append(_seconds([sys.executable, "-c", "pass"]) * 1e3)
    mine, reference = statistics.median(ours), statistics.median(empty)
    return [
        {
            "name": "bakeoff --help against an empty python",
            "ours": mine,
            "reference": reference,
            "ratio": mine / reference,
            "unit": "ms",
            "note": "at most 300 ms",
        }
    ]


if __name__ == "__main__":
    from tests.perf.table import show

    show(figures())
