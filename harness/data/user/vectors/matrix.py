"""A matrix in one file or several: its size, where a row stands, and how its blocks are read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from harness.errors import ConfigurationError

Block = npt.NDArray[Any]
Header = tuple[tuple[int, ...], np.dtype[Any]]  # the shape, and the type of the numbers


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of numbers somewhere on disk.

    label: its name in messages. blocks: reads numbers[m, dim] in row order, of any type that `check_shape` lets pass;
    raises ConfigurationError. usable: the .npy file that can be mapped as it is (float32, row by row), if it is one.
    note: what becomes of the numbers, as in "are uint8, converted to float32"; empty for floats. column: of a table
    or an archive, what holds them. unused: what else an archive holds, in words. parts: the matrices that it is made
    of, where it is in several files.
    """

    label: str
    rows: int
    dim: int
    blocks: Callable[[], Iterator[Block]]
    usable: Path | None = None
    note: str = ""
    column: str | None = None
    unused: str = ""
    parts: tuple[Matrix, ...] = ()

    def place(self, row: int) -> str:
        """Where a row stands, in words: its number, in which part."""
        for part in self.parts:
            if row < part.rows:
                return f"{Path(part.label).name} row {row}"
            row -= part.rows
        return f"row {row}"


def joined(parts: Sequence[Matrix]) -> Matrix:
    """One matrix of all the rows, part after part. Raises ConfigurationError unless all are equally wide."""
    if len(parts) == 1:
        return parts[0]
    first, last = parts[0], parts[-1]
    wrong = [
        f"{part.label}: has {part.dim} dimensions, but {first.label} has {first.dim}; all parts of one matrix "
        "need the same number"
        for part in parts
        if part.dim != first.dim
    ]
    if wrong:
        raise ConfigurationError(wrong)
    return Matrix(
        label=f"{first.label} to {Path(last.label).name} ({len(parts):,} files)",
        rows=sum(part.rows for part in parts),
        dim=first.dim,
        blocks=lambda: (block for part in parts for block in part.blocks()),
        note=", ".join(dict.fromkeys(part.note for part in parts if part.note)),
        column=first.column,
        unused=", ".join(part.unused for part in parts if part.unused),
        parts=tuple(parts),
    )


def check_shape(label: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raises ConfigurationError unless it is a non-empty matrix of floats, of integers of 8 bits or of booleans."""
    problems = []
    if len(shape) != 2:
        problems.append(f"{label}: must have 2 dimensions (items x numbers), its shape is {shape}")
    elif 0 in shape:
        problems.append(f"{label}: is empty, its shape is {shape}")
    is_float = dtype.kind == "f" and dtype.itemsize <= 8
    if not is_float and not (dtype.kind in "iub" and dtype.itemsize == 1):
        problems.append(
            f"{label}: must be float32, float64, float16, int8, uint8 or boolean, is {dtype}; use astype('float32')"
        )
    if problems:
        raise ConfigurationError(problems)


def note_on(dtype: np.dtype[Any] | str) -> str:
    """What becomes of numbers of a type, see Matrix.note."""
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return ""
    return f"are {'booleans' if dtype.kind == 'b' else dtype.name}, converted to float32"
