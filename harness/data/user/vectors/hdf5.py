"""Vectors in HDF5 files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from harness.data.stored.arrays import block_rows
from harness.data.user.vectors.matrix import Matrix, check_shape, note_on
from harness.errors import ConfigurationError

if TYPE_CHECKING:
    import h5py


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
    return Matrix(
        label, rows, dim, lambda: (data[i : i + step] for i in range(0, rows, step)), note=note_on(data.dtype)
    )
