"""Vectors in NumPy's files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from harness.data.stored.arrays import block_rows
from harness.data.user.vectors.matrix import Block, Matrix, check_shape, note_on
from harness.errors import ConfigurationError


def from_npy(path: Path) -> Matrix:
    """A .npy file, memory-mapped. Raises ConfigurationError."""
    try:
        # Not np.load: for a file of another kind its message suggests to allow pickles.
        array = np.lib.format.open_memmap(path, mode="r")
    except Exception as error:  # the header is parsed as Python: a damaged one may raise anything
        raise ConfigurationError(
            f"{path}: is no intact .npy file of numbers ({error}); write it with numpy.save"
        ) from error
    check_shape(str(path), array.shape, array.dtype)
    usable = path if array.dtype == np.dtype("<f4") and array.flags.c_contiguous else None
    rows, dim = array.shape

    def blocks() -> Iterator[Block]:
        step = block_rows(dim)
        for start in range(0, rows, step):
            # Mapped anew each time: pages of one long-lived map would all stay resident.
            yield np.lib.format.open_memmap(path, mode="r")[start : start + step]

    return Matrix(str(path), rows, dim, blocks, usable, note_on(array.dtype))
