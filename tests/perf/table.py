"""The figures of a part, and how they are shown."""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from typing import Any


def figures_of(part: str) -> list[dict[str, Any]]:
    """Measures a module of this package."""
    rows: list[dict[str, Any]] = importlib.import_module(f"tests.perf.{part}").figures()
    return rows


def show(figures: Iterable[dict[str, Any]]) -> None:
    """Prints name, ours, reference, ratio and unit, a line each."""
    for row in figures:
        ours, reference, ratio = (_number(row.get(key)) for key in ("ours", "reference", "ratio"))
        note = f"  {row['note']}" if row.get("note") else ""
        print(f"{row['name']:<74} {ours:>10} {reference:>10} {ratio:>8} {row['unit']}{note}", flush=True)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
