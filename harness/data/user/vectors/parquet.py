"""Vectors in a column of Parquet files: lists of numbers, all of one length."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.data.arrays import block_rows
from harness.data.user.columns import open_parquet
from harness.data.user.vectors.matrix import Block, Matrix, joined, note_on
from harness.data.user.vectors.parquet_columns import plain_lists, vector_column
from harness.errors import ConfigurationError, noting

if TYPE_CHECKING:
    import pyarrow as pa


def from_parquet_files(paths: Sequence[Path], column: str | None = None) -> Matrix:
    """The same column of all files; files without rows are passed over. Raises ConfigurationError."""
    problems: list[str] = []
    parts: list[Matrix] = []
    for path in paths:
        with noting(problems):
            with open_parquet(path) as file:
                column = vector_column(file, path, column)
                rows = file.metadata.num_rows
            if rows:
                parts.append(from_parquet(path, column))
    if not problems and not parts:
        problems.append(
            f"{paths[0]}: is empty" if len(paths) == 1 else f"{paths[0].parent}: all parts are empty"
        )
    if problems:
        raise ConfigurationError(problems)
    return joined(parts)


def from_parquet(path: Path, column: str) -> Matrix:
    """A column of lists of numbers, all of one length. Raises ConfigurationError."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    label = f"{path}: column '{column}'"
    try:
        with pq.ParquetFile(path) as file:
            rows = file.metadata.num_rows
            first = next(file.iter_batches(batch_size=1, columns=[column]), None)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{label}: cannot be read ({error})") from error
    dim, numbers = 0, np.dtype(np.float32)
    if first is not None:
        lists = plain_lists(first.column(0))
        dim, numbers = pc.list_value_length(lists)[0].as_py() or 0, lists.type.value_type.to_pandas_dtype()

    def blocks() -> Iterator[Block]:
        start = 0
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=block_rows(dim), columns=[column]):
                yield _unnested(batch.column(0), dim, label, start)
                start += len(batch)

    if not rows:
        raise ConfigurationError(f"{path}: is empty")
    if not dim:
        raise ConfigurationError(f"{label}: row 0 holds no vector; remove rows without one")
    return Matrix(label, rows, dim, blocks, note=note_on(numbers))


def _unnested(lists: pa.Array, dim: int, label: str, start: int) -> Block:
    """numbers[m, dim] of a list array; `start` is its first row."""
    import pyarrow as pa
    import pyarrow.compute as pc

    lists = plain_lists(lists)
    lengths = pc.fill_null(pc.list_value_length(lists), -1).to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(lengths != dim)
    if len(wrong):
        row, length = int(wrong[0]), int(lengths[wrong[0]])
        held = "is null" if length < 0 else f"has {length} numbers"
        raise ConfigurationError(
            f"{label}: row {start + row} {held}, but row 0 has {dim}; every row needs a vector of one length"
        )
    values = lists.flatten()
    if pa.types.is_boolean(values.type):
        values = values.cast(pa.uint8())
    return np.asarray(values.to_numpy(zero_copy_only=False)).reshape(len(lists), dim)
