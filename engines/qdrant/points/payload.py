"""Attributes as Qdrant can keep them.

It keeps payloads as JSON text, and its way of reading floats back from that is exact for up to 15 digits only.
Of doubles with all their digits about one in ten comes back changed by one unit in the last place, once its segment is
optimized or the server was restarted; a filter by the original value then no longer finds the item. So floats are
stored with 15 digits, and the bounds of filters are rounded alike.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from engines.base import EngineError
from engines.columns import Column, Keywords, Nullable, Tags, decoded

_DIGITS = 15  # with which a number between 1e-7 and 1e37 is read back as it was written


def rounded(value: float) -> float:
    """The number of 15 digits nearest to `value`. The order of numbers is kept."""
    return float(f"{value:.{_DIGITS}g}")


def values(column: Column, name: str) -> list[Any]:
    """The values of a column as they are stored, None where nothing is: for an item that lacks one, or has no tags.

    Raises EngineError for NaN and infinite numbers: JSON has none.
    """
    held = decoded(column)
    if isinstance(column, Tags):
        return [words or None for words in held]
    numbers = column.values if isinstance(column, Nullable) else column
    if isinstance(numbers, Keywords) or numbers.dtype.kind != "f":
        return held
    broken = next((number for number in held if number is not None and not math.isfinite(number)), None)
    if broken is not None:
        raise EngineError(f"qdrant: '{name}' holds {broken}, which JSON cannot express; remove it")
    return [None if number is None else rounded(number) for number in held]


def of_row(columns: Mapping[str, list[Any]], row: int) -> dict[str, Any]:
    """The payload of an item: what it lacks is left out."""
    return {key: value for key, values in columns.items() if (value := values[row]) is not None}
