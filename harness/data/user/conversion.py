"""Columns of a user's tables as the harness' kinds: their values understood, gaps filled, words encoded."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from engines.base import FieldKind
from engines.columns import Column, Keywords, Nullable, Tags, words_of
from engines.values.shown import shown
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa

Kind = FieldKind | Literal["text"]


def understood(column: pa.ChunkedArray, label: str) -> tuple[Kind, pa.ChunkedArray, str]:
    """The kind of a column, its values as Arrow's widest type of that kind, and a note for the user.

    Raises ConfigurationError.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    is_a, kind = pa.types, column.type
    if is_text(kind):
        return "keyword", column.cast(pa.large_string()), ""
    if (word := listed(kind)) is not None and (is_text(word) or is_a.is_null(word)):
        return "tags", column.cast(pa.large_list(pa.large_string())), ""
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
        f"{label}: type {kind} is not supported; store a string, number, boolean, date or list of strings an item, or "
        "leave it out with exclude"
    )


def is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    is_a = pa.types
    return bool(is_a.is_string(kind) or is_a.is_large_string(kind) or is_a.is_string_view(kind))


def listed(kind: pa.DataType) -> pa.DataType | None:
    """The type of a list's values, dictionaries decoded; None of what is no list."""
    import pyarrow as pa

    is_a = pa.types
    kind = getattr(kind, "storage_type", kind)  # of an extension, such as tensors of a fixed shape
    tests = (
        is_a.is_list,
        is_a.is_large_list,
        is_a.is_fixed_size_list,
        is_a.is_list_view,
        is_a.is_large_list_view,
    )
    if not any(test(kind) for test in tests):
        return None
    return kind.value_type.value_type if is_a.is_dictionary(kind.value_type) else kind.value_type


def filled(column: pa.ChunkedArray, kind: Kind, value: object, label: str, sidecar: str) -> pa.ChunkedArray:
    """The column with `value` where it is null (None: left null). NaN is null, and so is a list without words.

    Raises ConfigurationError.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if value is not None:
        missing = _without_words(column) if kind == "tags" else pc.is_null(column, nan_is_null=True)
        if not _fits(value, kind):
            raise ConfigurationError(
                f"{label}: is {kind}, fill cannot be {shown(value)}; correct it in {sidecar}"
            )
        # Arrow makes no float of an integer that is not exactly one.
        number = float(value) if kind == "float" and isinstance(value, int) else value
        column = pc.if_else(missing, pa.scalar([value] if kind == "tags" else number, column.type), column)
    elif kind == "float":
        column = pc.if_else(pc.is_null(column, nan_is_null=True), pa.scalar(None, column.type), column)
    if kind == "float" and pc.any(infinite := pc.is_inf(column)).as_py():
        raise ConfigurationError(f"{label}: row {pc.index(infinite, True).as_py()} is infinite; repair it")
    return column


def _without_words(column: pa.ChunkedArray) -> pa.Array:
    """Which lists are null or hold nothing but nulls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    holds_word = np.zeros(len(lengths), np.bool_)
    rows = np.repeat(np.arange(len(lengths)), lengths)
    holds_word[rows[pc.is_valid(pc.list_flatten(column)).to_numpy()]] = True
    return pa.array(~holds_word)


def _fits(value: object, kind: Kind) -> bool:
    if kind in ("keyword", "text", "tags"):
        return isinstance(value, str)
    if kind == "boolean" or isinstance(value, bool):
        return kind == "boolean" and isinstance(value, bool)
    if kind == "float":
        return isinstance(value, int | float) and abs(value) <= sys.float_info.max
    return isinstance(value, int) and -(2**63) <= value < 2**63


def as_column(column: pa.ChunkedArray, kind: Kind) -> Column:
    """The values of a column as its kind holds them; nulls are missing."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if kind == "tags":
        return _tags(column)
    if kind in ("keyword", "text"):
        return Keywords(*_encoded(column))
    if not column.null_count:
        return np.asarray(column.to_numpy())
    zero = pa.scalar(False if kind == "boolean" else 0, column.type)
    return Nullable(
        np.asarray(pc.fill_null(column, zero).to_numpy()), np.asarray(pc.is_valid(column).to_numpy())
    )


def _tags(column: pa.ChunkedArray) -> Tags:
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(column), 0).to_numpy()
    codes, vocabulary = _encoded(pc.list_flatten(column))
    # A row's words once each, in the order of their codes; of nulls among them nothing stays.
    width = max(1, len(vocabulary))
    places = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)[codes >= 0] * width
    places += codes[codes >= 0]
    places.sort(kind="stable")  # fast where much is in order already; numpy.unique hashes instead
    rows, codes = np.divmod(places[np.diff(places, prepend=-1) > 0], width)
    counts = np.bincount(rows, minlength=len(lengths))
    return Tags(np.concatenate([[0], np.cumsum(counts)]), codes.astype(np.int32), vocabulary)


def _encoded(column: pa.ChunkedArray) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.object_]]:
    """Words as codes (-1 where null) of a vocabulary that is sorted by code point."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = column.dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):  # of no rows
        return np.empty(0, np.int32), np.empty(0, object)
    words: list[str] = encoded.dictionary.to_pylist()
    order = sorted(range(len(words)), key=words.__getitem__)
    rank = np.empty(len(words) + 1, dtype=np.int32)
    rank[order] = np.arange(len(words), dtype=np.int32)
    rank[-1] = -1
    return rank[pc.fill_null(encoded.indices, -1).to_numpy()], words_of([words[i] for i in order])
