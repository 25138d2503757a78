"""The figures as a table."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def show(figures: Iterable[dict[str, Any]]) -> None:
    """Prints name, ours, reference, ratio and unit, a line each."""
    for row in figures:
        ours, reference, ratio = (_number(row.get(key)) for key in ("ours", "reference", "ratio"))
        note = f"  {row['note']}" if row.get("note") else ""
        print(f"{row['name']:<74} {ours:>10} {reference:>10} {ratio:>8} {row['unit']}{note}", flush=True)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
