"""Vectors in a user's files (.npy, Parquet, HDF5): read, checked and converted block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from engines.base import Metric
from harness.data.arrays import ArrayHasher, block_rows
from harness.data.user.faults import Faults
from harness.errors import ConfigurationError
from harness.progress import Progress

if TYPE_CHECKING:
    import h5py
    import pyarrow as pa

Block = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows of floats somewhere on disk.

    label: its name in messages. blocks: reads floating[m, dim] in row order, of any precision; raises
    ConfigurationError. usable: the .npy file that can be mapped as it is (float32, row by row), if it is one.
    """

    label: str
    rows: int
    dim: int
    blocks: Callable[[], Iterator[Block]]
    usable: Path | None = None


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

    return Matrix(str(path), rows, dim, blocks, usable)


def from_hdf5(file: h5py.File, path: Path, name: str) -> Matrix:
    """A two-dimensional data set in an open HDF5 file. Raises ConfigurationError."""
    import h5py

    data = file.get(name)
    label = f"{path}: '{name}'"
    if data is None:
        if name in list(file):
            raise ConfigurationError(
                f"{label} is a link to what is not there; store the vectors in this file"
            )
        held = ", ".join(map(str, file)) or "nothing"
        raise ConfigurationError(
            f"{label} is missing, the file holds {held}; call the vectors train and test"
        )
    if not isinstance(data, h5py.Dataset):
        raise ConfigurationError(f"{label} is no array; store the vectors under this name")
    check_shape(label, data.shape or (), data.dtype)  # None: it was created without any
    rows, dim = data.shape
    step = block_rows(dim)
    return Matrix(label, rows, dim, lambda: (data[i : i + step] for i in range(0, rows, step)))


def from_parquet(path: Path, column: str) -> Matrix:
    """A column of lists of floats, all of one length. Raises ConfigurationError."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    label = f"{path}: column '{column}'"
    try:
        with pq.ParquetFile(path) as file:
            rows = file.metadata.num_rows
            first = next(file.iter_batches(batch_size=1, columns=[column]), None)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{label}: cannot be read ({error})") from error
    dim: int = 0 if first is None else pc.list_value_length(_plain_lists(first.column(0)))[0].as_py() or 0

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
    return Matrix(label, rows, dim, blocks)


def check_shape(label: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Raises ConfigurationError unless it is a non-empty matrix of float16, float32 or float64."""
    problems = []
    if len(shape) != 2:
        problems.append(f"{label}: must have 2 dimensions (items x numbers), its shape is {shape}")
    elif 0 in shape:
        problems.append(f"{label}: is empty, its shape is {shape}")
    if dtype.kind != "f" or dtype.itemsize > 8:
        problems.append(f"{label}: must be float32, float64 or float16, is {dtype}; use astype('float32')")
    if problems:
        raise ConfigurationError(problems)


def transfer(
    matrix: Matrix,
    metric: Metric | None,
    sinks: list[tuple[ArrayHasher, npt.NDArray[np.bool_] | None]],
    progress: Progress,
) -> list[str]:
    """Reads a matrix once, as float32, into the sinks, each with a mask of its rows (None: all).

    Returns what is wrong with its values, see Faults.
    """
    faults = Faults(metric)
    start = 0
    for raw in _readable(matrix):
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


def _unnested(lists: pa.Array, dim: int, label: str, start: int) -> Block:
    """float[m, dim] of a list array; `start` is its first row."""
    import pyarrow.compute as pc

    lists = _plain_lists(lists)
    lengths = pc.fill_null(pc.list_value_length(lists), -1).to_numpy(zero_copy_only=False)
    wrong = np.flatnonzero(lengths != dim)
    if len(wrong):
        row, length = int(wrong[0]), int(lengths[wrong[0]])
        held = "is null" if length < 0 else f"has {length} numbers"
        raise ConfigurationError(
            f"{label}: row {start + row} {held}, but row 0 has {dim}; every row needs a vector of one length"
        )
    return np.asarray(lists.flatten().to_numpy(zero_copy_only=False)).reshape(len(lists), dim)


def _plain_lists(lists: pa.Array) -> pa.Array:
    """The column as lists with offsets, however it is stored (views of lists, tensors of a fixed shape)."""
    import pyarrow as pa

    stored = lists.storage if isinstance(lists.type, pa.BaseExtensionType) else lists
    is_view = pa.types.is_list_view(stored.type) or pa.types.is_large_list_view(stored.type)
    return stored.cast(pa.large_list(stored.type.value_type)) if is_view else stored
