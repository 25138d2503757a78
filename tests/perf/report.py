"""How long reading and reporting take, and how much memory, for runs of 1,000, 10,000 and 100,000 cells."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from harness.results.result import RunResult
from harness.results.writing import write_result
from tests.perf.table import show
from tests.unit.example_results import ENGINES, build

# In a process of its own, for its peak memory is that of the process. The report's time includes loading matplotlib.
_TIMED = """
import json, resource, sys, time
from pathlib import Path
run, clock = Path(sys.argv[1]), time.perf_counter
start = clock()
from harness.results.result import read_result
result = read_result(run)
read_s = clock() - start
del result
read_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
start = clock()
from reports.page.html import write_report
write_report(run)
print(json.dumps([read_s, read_bytes, clock() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))
"""


def made_up(copies: int, filters: int, steps: int, trials: int) -> RunResult:
    """A run with `copies` of each of five engines, three of them with `steps` settings."""
    engines = {
        f"{name}-{copy}": (adapter, index, {key: list(range(steps)) for key in grid}, qps, recall)
        for copy in range(copies)
        for name, (adapter, index, grid, qps, recall) in ENGINES.items()
    }
    shares = {f"filter-{number}": 0.001 ** (number / max(filters - 1, 1)) for number in range(filters)}
    return build(engines=engines, filters=shares, trials=trials)


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit; the reference of a report is reading its result."""
    rows = []
    for shape, limit in (
        ((2, 10, 3, 4), "at most 10 s"),
        ((3, 20, 14, 4), "at most 20 s and 1 GiB"),
        ((4, 40, 40, 5), "at most 180 s"),
    ):
        result = made_up(*shape)
        count = len(result.measurements)
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder)
            write_result(run, result)
            del result
            done = subprocess.run(
                [sys.executable, "-c", _TIMED, str(run)], check=True, capture_output=True, text=True
            )
            read_s, read_bytes, report_s, report_bytes = json.loads(done.stdout)
            size_mib = (run / "report.html").stat().st_size / 2**20
        rows.append(
            {
                "name": f"report of {count:,} cells against reading its result",
                "ours": report_s,
                "reference": read_s,
                "ratio": report_s / read_s,
                "unit": "s",
                "note": f"{limit}; page {size_mib:.1f} MiB, peak memory {report_bytes / 2**20:,.0f} MiB "
                f"({read_bytes / 2**20:,.0f} after reading)",
            }
        )
    return rows


if __name__ == "__main__":
    show(figures())
