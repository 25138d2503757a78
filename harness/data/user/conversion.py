"""Parquet columns as the harness' kinds: their values understood, gaps filled, words encoded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

import numpy as np

from engines.base import FieldKind
from engines.columns import Column, Keywords
from engines.values.shown import shown
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

Kind = FieldKind | Literal["text"]


def understood(column: pa.ChunkedArray, label: str) -> tuple[Kind, pa.ChunkedArray, str]:
    """The kind of a column, its values as Arrow's widest type of that kind, and a note for the user."""
    import pyarrow as pa
    import pyarrow.compute as pc

    is_a, kind = pa.types, column.type
    if is_text(kind):
        return "keyword", column.cast(pa.large_string()), ""
    if is_a.is_boolean(kind):
        return "boolean", column, ""
    if is_a.is_timestamp(kind) or is_a.is_date(kind):
        moments = column.cast(pa.timestamp("ms", tz=getattr(kind, "tz", None)), safe=False)
        return "integer", moments.cast(pa.int64()), "in milliseconds since 1970"
    if is_a.is_integer(kind):
        if is_a.is_uint64(kind) and (pc.max(column).as_py() or 0) >= 2**63:
            row = pc.index(pc.greater_equal(column, pa.scalar(2**63, pa.uint64())), True).as_py()
            raise ConfigurationError(f"{label}: row {row} exceeds 2^63 - 1; store it as a string")
        return "integer", column.cast(pa.int64()), ""
    if is_a.is_floating(kind) or is_a.is_decimal(kind):
        return "float", column.cast(pa.float64()), ""
    raise ConfigurationError(
        f"{label}: type {kind} is not supported; store a string, number, boolean or date an item, or drop it"
    )


def is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    is_a = pa.types
    return bool(is_a.is_string(kind) or is_a.is_large_string(kind) or is_a.is_string_view(kind))


def filled(column: pa.ChunkedArray, kind: Kind, value: object, label: str, sidecar: str) -> pa.ChunkedArray:
    """The column without nulls (NaN is one). Raises ConfigurationError where nothing stands in for them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    missing = pc.is_null(column, nan_is_null=True)
    count = pc.sum(missing).as_py() or 0
    if value is not None:
        if not _fits(value, kind):
            raise ConfigurationError(
                f"{label}: is {kind}, fill cannot be {shown(value)}; correct it in {sidecar}"
            )
        # Arrow makes no float of an integer that is not exactly one.
        number = float(value) if kind == "float" and isinstance(value, int) else value
        column = pc.if_else(missing, pa.scalar(number, column.type), column)
    elif count:
        row = pc.index(missing, True).as_py()
        raise ConfigurationError(
            f"{label}: {count:,} values are missing, the first in row {row}; "
            f"say what stands in for them in {sidecar}, as in fill: {{column: value}}"
        )
    if kind == "float" and not pc.all(finite := pc.is_finite(column)).as_py():
        raise ConfigurationError(f"{label}: row {pc.index(finite, False).as_py()} is infinite; repair it")
    return column


def _fits(value: object, kind: Kind) -> bool:
    if kind in ("keyword", "text"):
        return isinstance(value, str)
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind == "float":
        return isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return isinstance(value, int) and -(2**63) <= value < 2**63


def as_column(column: pa.ChunkedArray, kind: Kind) -> Column:
    import pyarrow as pa

    if kind not in ("keyword", "text"):
        return np.asarray(column.to_numpy())
    encoded = column.dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # of no rows
        return Keywords(np.empty(0, np.int32), np.empty(0, object))
    words: list[str] = encoded.dictionary.to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    rank = np.empty(len(words), dtype=np.int32)
    rank[order] = np.arange(len(words), dtype=np.int32)
    vocabulary = np.empty(len(words), dtype=object)
    vocabulary[:] = [words[i] for i in order]
    return Keywords(rank[encoded.indices.to_numpy()], vocabulary)
