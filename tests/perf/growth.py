"""How memory and start-up grow with the catalogue: 10,000, 100,000 and a million listings."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from harness.soak.service import serving
from tests.perf.table import show

SIZES, DIM = (10_000, 100_000, 1_000_000), 16
_MIB = 2**20


def figures(sizes: tuple[int, ...] = SIZES) -> list[dict[str, Any]]:
    """Rows of name, ours, reference, ratio and unit; reference: the same of the size before."""
    rows: list[dict[str, Any]] = []
    before: dict[str, float] = {}
    for size in sizes:
        found = _measured(size)
        for what, value in found.items():
            reference = before.get(what)
            rows.append(
                {
                    "name": f"{size:,} listings of {DIM} dimensions: {what}",
                    "ours": value,
                    "reference": reference,
                    "ratio": value / reference if reference else None,
                    "unit": "MiB" if what.startswith("memory") else "s",
                }
            )
        before = found
    return rows


def _measured(size: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as place:
        data = [
            "--dataset",
            f"synthetic:rows={size},dim={DIM}",
            "--engine",
            "faiss",
            "--data",
            f"{place}/served",
        ]
        log = Path(place) / "log"
        with serving(data, log, ready_s=4 * 3600) as service:
            first_s = service.ready_s
        with serving(data, log, ready_s=4 * 3600) as service:
            return {
                "first start (listings stored, index built)": first_s,
                "next start": service.ready_s,
                "memory after the next start": service.rss_bytes() / _MIB,
            }


if __name__ == "__main__":
    show(figures())
