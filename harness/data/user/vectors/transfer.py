"""A matrix read once, as float32, and its values checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from engines.base import Metric
from harness.data.stored.arrays import ArrayHasher
from harness.data.user.faults import Faults
from harness.data.user.vectors.matrix import Block, Matrix
from harness.errors import ConfigurationError
from harness.progress import Progress

_EXACT = 2**24  # up to here float32 holds every integer


def transfer(
    matrix: Matrix,
    metric: Metric | None,
    sinks: list[tuple[ArrayHasher, npt.NDArray[np.bool_] | None]],
    progress: Progress,
) -> list[str]:
    """Reads a matrix once, as float32, into the sinks, each with a mask of its rows (None: all).

    Returns what is wrong with its values, see Faults.
    """
    faults = Faults(metric, matrix.place)
    start = 0
    for raw in _readable(matrix):
        if raw.dtype.kind in "iu" and raw.dtype.itemsize > 2:
            _require_exact(matrix, raw, start)
        with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinite, and is reported as such
            block = np.ascontiguousarray(raw, dtype=np.float32)
        faults.examine(block, start)
        for sink, mask in sinks:
            sink.append(block if mask is None else block[mask[start : start + len(block)]])
        start += len(block)
        progress(f"check {Path(matrix.label).name}", start, matrix.rows)
    if start != matrix.rows:
        raise ConfigurationError(
            f"{matrix.label}: ends after {start:,} of its {matrix.rows:,} rows; write it again"
        )
    return faults.problems(matrix.label)


def _readable(matrix: Matrix) -> Iterator[Block]:
    """The blocks. Errors of reading are turned into ConfigurationError here, so that they are not taken for errors of
    writing to the cache.
    """
    blocks = matrix.blocks()
    while True:
        try:
            block = next(blocks)
        except StopIteration:
            return
        except (OSError, ValueError, RuntimeError) as error:  # also those of Arrow and of HDF5
            raise ConfigurationError(f"{matrix.label}: cannot be read to its end ({error})") from error
        yield block


def _require_exact(matrix: Matrix, block: Block, start: int) -> None:
    """Raises ConfigurationError where float32 would round an integer, as it would most ids."""
    large = (block > _EXACT) | (block < -_EXACT)
    if large.any():
        row, column = divmod(int(large.argmax()), matrix.dim)
        raise ConfigurationError(
            f"{matrix.label}: {matrix.place(start + row)} column {column} is {block[row, column]}, and float32 holds "
            "integers up to 2^24 exactly; if these are vectors (and no ids), store them as float32"
        )
