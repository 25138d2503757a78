"""How long the report of a run with 1,000 cells takes, beside reading its result file."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from harness.results.result import read_result
from harness.results.writing import write_result
from reports.page.html import write_report
from tests.unit.results import ENGINES, build

_FILTERS = {
    f"filter-{i}": share
    for i, share in enumerate((1.0, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001))
}


def figures() -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit. The first report includes loading matplotlib."""
    engines = {f"{name}-{i}": entry for i in range(2) for name, entry in ENGINES.items()}
    result = build(engines=engines, filters=_FILTERS, trials=4)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        write_result(run, result)
        start_ns = time.perf_counter_ns()
        write_report(run)
        first_s = (time.perf_counter_ns() - start_ns) / 1e9
        start_ns = time.perf_counter_ns()
        read_result(run)
        read_s = (time.perf_counter_ns() - start_ns) / 1e9
        size_mib = (run / "report.html").stat().st_size / 2**20
    return [
        {
            "name": f"report of {len(result.measurements):,} cells ({size_mib:.1f} MiB) against reading its result",
            "ours": first_s,
            "reference": read_s,
            "ratio": first_s / read_s,
            "unit": "s",
            "note": "at most 10 s for 1,000 cells",
        }
    ]


if __name__ == "__main__":
    from tests.perf.table import show

    show(figures())
