"""Vectors in a column of a Parquet file: lists of numbers, or their JSON, all of one length."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engines.values.shown import shown
from harness.data.stored.arrays import block_rows
from harness.data.user.conversion import is_text
from harness.data.user.tables.parquet_files import open_parquet
from harness.data.user.vectors.matrix import Block, Matrix, note_on
from harness.data.user.vectors.parquet_columns import plain_lists, vector_column
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    import pyarrow as pa


def from_parquet(path: Path, wanted: str | None = None) -> Matrix:
    """The column called `wanted`, or the only one of vectors; of a file without rows a matrix without rows.

    Raises ConfigurationError.
    """
    with open_parquet(path) as file:
        column = vector_column(file, path, wanted)
        label = f"{path}: column '{column}'"
        rows, in_json = file.metadata.num_rows, is_text(file.schema_arrow.field(column).type)
        if not rows:
            return Matrix(label, 0, 0, lambda: iter(()), column=column)
        try:
            first = next(file.iter_batches(batch_size=1, columns=[column])).column(0)
            dim = len(
                (_parsed(first[0].as_py(), label, 0) if in_json else plain_lists(first)[0].as_py()) or ()
            )
        except (OSError, ValueError, StopIteration) as error:
            raise ConfigurationError(f"{label}: cannot be read ({error})") from error
    note = "are JSON text, converted to float32"
    if not in_json:
        note = note_on(plain_lists(first).type.value_type.to_pandas_dtype())
    if not dim:
        raise ConfigurationError(f"{label}: row 0 holds no vector; remove rows without one")

    def blocks() -> Iterator[Block]:
        start, numbers = 0, _of_json if in_json else _of_lists
        step = max(1, block_rows(dim) // 4) if in_json else block_rows(dim)  # Python's numbers are larger
        with open_parquet(path) as file:
            for batch in file.iter_batches(batch_size=step, columns=[column]):
                yield numbers(batch.column(0), dim, label, start)
                start += len(batch)

    return Matrix(label, rows, dim, blocks, note=note, column=column)


def _of_lists(lists: pa.Array, dim: int, label: str, start: int) -> Block:
    """numbers[m, dim] of a list array; `start` is its first row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = plain_lists(lists)
    lengths = pc.fill_null(pc.list_value_length(lists), -1).to_numpy(zero_copy_only=False)
    _require_length(lengths, dim, label, start)
    values = lists.flatten()
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(len(lists), dim)


def _of_json(texts: pa.Array, dim: int, label: str, start: int) -> Block:
    """float64[m, dim] of JSON texts; `start` is their first row."""
    rows = [_parsed(text, label, start + i) for i, text in enumerate(texts.to_pylist())]
    _require_length(np.array([-1 if row is None else len(row) for row in rows]), dim, label, start)
    return np.array(rows, dtype=np.float64)


def _parsed(text: str | None, label: str, row: int) -> Any:
    """A list of numbers. Raises ConfigurationError."""
    if text is None:
        return None
    try:
        numbers = json.loads(text, parse_int=float)
        if isinstance(numbers, list) and all(type(number) is float for number in numbers):
            return numbers
    except (ValueError, RecursionError):
        pass
    raise ConfigurationError(
        f"{label}: row {row} is no list of numbers in JSON but {shown(text)}; write it as in [0.25, -1.5], or store "
        "lists of floats"
    )


def _require_length(lengths: np.ndarray, dim: int, label: str, start: int) -> None:
    wrong = np.flatnonzero(lengths != dim)
    if len(wrong):
        row, length = int(wrong[0]), int(lengths[wrong[0]])
        held = "is null" if length < 0 else f"has {length} numbers"
        raise ConfigurationError(
            f"{label}: row {start + row} {held}, but row 0 has {dim}; every row needs a vector of one length"
        )
