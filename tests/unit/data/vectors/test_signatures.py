"""Files that are of another format than their ending says, and those that no reader takes."""

from __future__ import annotations

import gzip
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.user.vectors.opening import SUFFIXES, open_matrix
from tests.unit.data.user_data import VECTORS
from tests.unit.data.vectors.read import refused


def write(path: Path) -> Path:
    """An intact file of the format of its ending."""
    if path.suffix == ".npy":
        np.save(path, VECTORS)
    elif path.suffix == ".npz":
        np.savez(path, VECTORS)
    elif path.suffix == ".parquet":
        pq.write_table(pa.table({"v": VECTORS.tolist()}), path)
    else:
        with h5py.File(path, "w") as file:
            file["train"] = VECTORS
    return path


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("real", [".npy", ".npz", ".parquet", ".hdf5"])
def test_a_file_of_another_format_is_called_by_its_name(suffix: str, real: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"other{real}")
    if suffix == real:
        assert open_matrix([path]).rows == len(VECTORS)
        return
    (problem,) = refused(path.rename(tmp_path / f"v{suffix}"))
    assert problem == f"v{suffix}: is a {real} file by its content; call it v{real}"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_a_compressed_file_is_to_be_unpacked(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"v{suffix}"
    path.write_bytes(gzip.compress(VECTORS.tobytes()))
    assert refused(path) == [f"v{suffix}: is compressed with gzip; unpack it"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_text_and_what_is_no_file(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"v{suffix}"
    assert refused(path) == [f"v{suffix}: cannot be read (No such file or directory)"]
    path.write_text("0.25, -1.5\n" * 7)
    (text,) = refused(path)
    assert text.startswith(f"v{suffix}: ")
    path.unlink()
    path.mkdir()
    assert refused(path) == [f"v{suffix}: cannot be read (Is a directory)"]
