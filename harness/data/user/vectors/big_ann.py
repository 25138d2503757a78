"""The formats of big-ann-benchmarks: the numbers of rows and of dimensions (uint32 each), then all the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from harness.data.stored.arrays import block_rows
from harness.data.user.vectors.matrix import Block, Matrix, note_on
from harness.errors import ConfigurationError

KINDS = {".fbin": "<f4", ".u8bin": "u1", ".i8bin": "i1", ".ibin": "<i4"}
_HEADER = 8


def from_bin(path: Path) -> Matrix:
    """A file of one of KINDS. Raises ConfigurationError."""
    numbers, size = np.dtype(KINDS[path.suffix]), path.stat().st_size
    if size < _HEADER:
        raise ConfigurationError(f"{path}: is {'cut off' if size else 'empty'}; write it again")
    rows, dim = np.fromfile(path, "<u4", 2).tolist()
    row_bytes = dim * numbers.itemsize
    if size != (told := _HEADER + rows * row_bytes):
        raise ConfigurationError(
            f"{path}: says that it holds {rows:,} rows of {dim:,} numbers ({numbers.name}), which take {told:,} bytes, "
            f"but it has {size:,}; copy it again, or correct its ending ({', '.join(KINDS)}) or its first 8 bytes"
        )
    if not rows * dim:
        raise ConfigurationError(f"{path}: is empty, it holds {rows:,} rows of {dim:,} numbers")

    def blocks() -> Iterator[Block]:
        step = block_rows(dim)
        for start in range(0, rows, step):
            shape = (min(step, rows - start), dim)
            yield np.memmap(path, numbers, "r", _HEADER + start * row_bytes, shape)

    return Matrix(str(path), rows, dim, blocks, note=note_on(numbers))
