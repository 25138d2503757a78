"""Scenarios and cells as the tests of `bakeoff run` need them."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from harness.results.result import RunResult, read_result

INDEX_ONLY = {"tasks": [{"task": "index"}]}


def cells(result: RunResult, **wanted: Any) -> list[Any]:
    return [c for c in result.measurements if all(getattr(c, key) == value for key, value in wanted.items())]


def broken(name: str) -> dict[str, Any]:
    return {"engine": f"tests.cli.broken_engines:{name}", "label": name.lower()}


def wait_for_cells(run: Path, count: int, **wanted: Any) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if (run / "result.json").exists() and len(cells(read_result(run), **wanted)) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"fewer than {count} cells after two minutes")
