"""Integers beyond 64 bits in text files, of which Arrow makes floats: rounded, and the whole column with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

_INTEGER = re.compile(r"[+-]?\d+")


def refuse_rounded(
    path: Path, name: str, column: pa.ChunkedArray, texts: Callable[[], Iterable[str | None]]
) -> None:
    """Raises ConfigurationError for a column of floats one of which is written as an integer beyond 64 bits.

    texts: reads the column as it is written; only asked where a float is that large.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if not pa.types.is_floating(column.type):
        return
    if not pc.any(pc.greater_equal(pc.abs(column), 2.0**63)).as_py():
        return
    for row, text in enumerate(texts()):
        if text is not None and _INTEGER.fullmatch(text.strip()) and not -(2**63) <= Decimal(text) < 2**63:
            raise ConfigurationError(
                f"{path}: column '{name}': row {row} holds an integer beyond 64 bits, {text[:40]}, and all values "
                "would be rounded; store them as texts in Parquet or JSON lines, or leave the column out with exclude"
            )
