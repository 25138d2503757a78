"""`engines.json` in a model's folder: what was measured of engines, kept until the same is measured again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import ConfigurationError
from models.features.stored import read_values, write_values

ENGINES = "engines.json"
KIND, FORMAT = "bakeoff-engines", 1
# What points must have in common to stand in one file.
_ABOUT = ("kind", "format", "model", "dataset", "k", "level")
_NAMED = ("engine", "index", "search", "filter")
Entry = dict[str, Any]


def read_engines(folder: Path) -> dict[str, Any] | None:
    """What a model's folder says of engines; None where it says nothing.

    Raises ConfigurationError where the file is damaged.
    """
    path = folder / ENGINES
    if not path.exists():
        return None
    held = read_values(path)
    if held.get("kind") != KIND or held.get("format") != FORMAT:
        raise ConfigurationError(
            f"{path}: must be of kind {KIND}, format {FORMAT}; remove it and measure again: bakeoff evaluate {folder}"
        )
    return held


def write_engines(folder: Path, measured: Mapping[str, Any]) -> tuple[dict[str, Any], int]:
    """Adds what was measured to the file; the whole, and how many earlier points were dropped.

    measured: about what it is (`model`, `dataset`, `k`, `level`), figures of exact search by filter (`exact`), `points`
    and what `failed`. A point that was measured before is replaced; all are dropped where they are of another model,
    of other users or of another k. Raises ConfigurationError, MeasurementError.
    """
    fresh = {"kind": KIND, "format": FORMAT, **measured}
    held = read_engines(folder)
    kept, exact, failed, dropped = [], {}, [], 0
    if held is not None:
        if all(held.get(key) == fresh[key] for key in _ABOUT):
            kept, exact, failed = held["points"], held["exact"], held["failed"]
        else:
            dropped = len(held["points"])
    points = _replaced(kept, fresh["points"])
    failed = _replaced(_replaced(failed, fresh["failed"]), fresh["points"], add=False)
    whole = fresh | {
        "exact": exact | fresh["exact"],
        "points": sorted(points, key=_order),
        "failed": sorted(failed, key=_order),
    }
    write_values(folder / ENGINES, whole)
    return whole, dropped


def _replaced(before: Sequence[Entry], now: Sequence[Entry], *, add: bool = True) -> list[Entry]:
    names = {_name(entry) for entry in now}
    return [entry for entry in before if _name(entry) not in names] + (list(now) if add else [])


def _name(entry: Mapping[str, Any]) -> str:
    return json.dumps([entry[key] for key in _NAMED], sort_keys=True)


def _order(entry: Mapping[str, Any]) -> tuple[str, str, float, str]:
    """By filter and engine, then by recall."""
    recall = entry["loss"]["recall"]["estimate"] if "loss" in entry else None
    return entry["filter"], entry["engine"], -1.0 if recall is None else recall, _name(entry)
