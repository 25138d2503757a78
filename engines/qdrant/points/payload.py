"""Attributes as Qdrant can keep them.

It keeps payloads as JSON text, and its way of reading floats back from that is exact for up to 15 digits only.
Of doubles with all their digits about one in ten comes back changed by one unit in the last place, once its segment is
optimized or the server was restarted; a filter by the original value then no longer finds the item. So floats are
stored with 15 digits, and the bounds of filters are rounded alike.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engines.base import EngineError
from engines.columns import Column, Keywords, decoded

_DIGITS = 15  # with which a number between 1e-7 and 1e37 is read back as it was written


def rounded(value: float) -> float:
    """The number of 15 digits nearest to `value`. The order of numbers is kept."""
    return float(f"{value:.{_DIGITS}g}")


def values(column: Column, name: str) -> list[Any]:
    """The values of a column as they are stored. Raises EngineError for NaN and infinite numbers: JSON has none."""
    if isinstance(column, Keywords):
        return column.decode()
    numbers = decoded(column)
    assert isinstance(column, np.ndarray)
    if column.dtype.kind != "f":
        return numbers
    broken = next((number for number in numbers if not math.isfinite(number)), None)
    if broken is not None:
        raise EngineError(f"qdrant: '{name}' holds {broken}, which JSON cannot express; remove it")
    return [rounded(number) for number in numbers]
