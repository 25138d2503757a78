"""Vectors in NumPy's archives: read through their compression, never unpacked as a whole."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from harness.data.stored.arrays import block_rows
from harness.data.user.vectors.matrix import Block, Matrix, check_shape, note_on
from harness.errors import ConfigurationError

_NAMES = ("vectors", "queries", "train", "test", "arr_0")
_DAMAGED = (OSError, ValueError, RuntimeError, EOFError, zipfile.BadZipFile, zlib.error)


def from_npz(path: Path, wanted: str | None = None) -> Matrix:
    """The array called `wanted`; else the only one, that called as the file, or that of a usual name.

    Raises ConfigurationError.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            held = [name.removesuffix(".npy") for name in archive.namelist() if name.endswith(".npy")]
            name = _chosen(path, held, wanted)
            with archive.open(f"{name}.npy") as file:
                shape, by_column, numbers = _header(file)
    except ConfigurationError:
        raise
    except Exception as error:  # the header is parsed as Python: a damaged one may raise anything
        raise ConfigurationError(
            f"{path}: is no intact .npz file of numbers ({error}); write it with numpy.savez"
        ) from error
    label = f"{path}: '{name}'"
    check_shape(label, shape, numbers)
    rows, dim = shape
    if by_column and min(shape) > 1:
        raise ConfigurationError(
            f"{label}: is stored column by column; save numpy.ascontiguousarray of it, or as .npy"
        )

    def blocks() -> Iterator[Block]:
        step, row_bytes = block_rows(dim), dim * numbers.itemsize
        try:
            with zipfile.ZipFile(path) as archive, archive.open(f"{name}.npy") as file:
                _header(file)
                for start in range(0, rows, step):
                    count = min(step, rows - start)
                    data = file.read(count * row_bytes)
                    if len(data) < count * row_bytes:
                        whole = start + len(data) // row_bytes
                        raise EOFError(f"it ends after {whole:,} of its {rows:,} rows")
                    yield np.frombuffer(data, numbers).reshape(count, dim)
                file.read(1)  # the end, where the checksum is compared
        except _DAMAGED as error:
            raise ConfigurationError(f"{label}: is damaged ({error}); write it again") from error

    others = [other for other in held if other != name]
    unused = f"{', '.join(others)} of {path.name}" if others else ""
    return Matrix(label, rows, dim, blocks, note=note_on(numbers), column=name, unused=unused)


def _chosen(path: Path, held: list[str], wanted: str | None) -> str:
    listed = ", ".join(held) or "none"
    if wanted is not None and wanted not in held:
        raise ConfigurationError(f"{path}: holds no array '{wanted}'; these it holds: {listed}")
    for candidates in ([wanted] if wanted else held, [path.stem], _NAMES):
        found = [name for name in held if name in candidates]
        if len(found) == 1:
            return found[0]
    if not held:
        raise ConfigurationError(f"{path}: holds no array; write it with numpy.savez")
    raise ConfigurationError(
        f"{path}: holds several arrays ({listed}); call that of the vectors '{path.stem}', or name it, as in "
        f"':vectors={held[0]}'"
    )


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether column by column, and type of the array that begins here."""
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    return read(file)
