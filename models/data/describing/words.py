"""What the descriptions of both kinds of file share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import yaml

from harness.data.describe import short
from models.data.moments import moment

if TYPE_CHECKING:
    import pyarrow as pa

SHOWN = 3  # examples of a column
_LOOKED_AT = 100  # values that they are taken from


def span(ms: npt.NDArray[np.int64]) -> str:
    """From the earliest to the latest of some moments."""
    return f"{moment(int(ms.min()))} to {moment(int(ms.max()))}"


def most_frequent(words: list[Any], counts: npt.NDArray[np.int64], most: int = SHOWN) -> str:
    """The words that occur most, with their shares of all that are counted."""
    top = np.argsort(-counts, kind="stable")[:most]
    shares = ", ".join(f"{short(words[at])} {counts[at] / counts.sum():.1%}" for at in top)
    return shares + (f", {len(words) - most:,} more" if len(words) > most else "")


def first_values(column: pa.ChunkedArray) -> str:
    """The first different values of a column that are there, of any type."""
    found = dict.fromkeys(short(value) for value in column.drop_null()[:_LOOKED_AT].to_pylist())
    return ", ".join(list(found)[:SHOWN])


def as_yaml(data: Mapping[str, Any]) -> str:
    """A block of a configuration."""
    text: str = yaml.safe_dump(
        dict(data), sort_keys=False, default_flow_style=None, allow_unicode=True, width=110
    )
    return text.rstrip("\n")
