"""The formats of the TEXMEX corpus: each row is its number of dimensions (int32), then its numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from harness.data.stored.arrays import block_rows
from harness.data.user.vectors.matrix import Block, Matrix, note_on
from harness.errors import ConfigurationError

KINDS = {".fvecs": "<f4", ".bvecs": "u1", ".ivecs": "<i4"}
_WIDEST = 1 << 20  # dimensions; what says more is a file of another kind


def from_vecs(path: Path) -> Matrix:
    """A file of one of KINDS. Raises ConfigurationError."""
    numbers, size = np.dtype(KINDS[path.suffix]), path.stat().st_size
    if size < 4:
        raise ConfigurationError(f"{path}: is {'cut off' if size else 'empty'}; write it again")
    dim = int(np.fromfile(path, "<i4", 1)[0])
    if not 0 < dim <= _WIDEST or 4 + dim * numbers.itemsize > size:
        raise ConfigurationError(
            f"{path}: says that row 0 has {dim:,} dimensions, which a {path.suffix} file of {size:,} bytes cannot; "
            f"each row must be its dimension as int32, then as many numbers ({numbers.name}), in little-endian order"
        )
    row = np.dtype([("dim", "<i4"), ("numbers", numbers, (dim,))])
    rows, rest = divmod(size, row.itemsize)

    def blocks() -> Iterator[Block]:
        step = block_rows(dim)
        for start in range(0, rows, step):
            count = min(step, rows - start)
            block = np.memmap(path, row, "r", start * row.itemsize, (count,))
            wrong = np.flatnonzero(block["dim"] != dim)
            if len(wrong):
                other = int(block["dim"][wrong[0]])
                raise ConfigurationError(
                    f"{path}: row {start + int(wrong[0])} has {other:,} dimensions, but row 0 has {dim:,}; every row "
                    "needs a vector of one length"
                )
            yield block["numbers"]

    if rest:
        for _ in blocks():  # which row it is, if one is of another length
            pass
        raise ConfigurationError(
            f"{path}: ends within row {rows:,}, after {rest:,} bytes of it; copy it again"
        )
    return Matrix(str(path), rows, dim, blocks, note=note_on(numbers))
