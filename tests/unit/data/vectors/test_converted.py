"""Vectors that are no floats are converted, and the description of the dataset says so."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from harness.data.catalogue import load_dataset
from tests.unit.data.user_data import QUERIES, VECTORS, Folder

KINDS = pytest.mark.parametrize(
    ("kind", "called"), [("i1", "int8"), ("u1", "uint8"), ("?", "booleans"), ("f8", None), ("f2", None)]
)


def values(kind: str) -> np.ndarray:
    return np.abs(VECTORS * 40).astype(kind) if kind != "?" else VECTORS > 0


@KINDS
def test_arrays(kind: str, called: str | None, folder: Folder) -> None:
    folder.array("vectors", values(kind))
    dataset = folder.load()
    np.testing.assert_array_equal(dataset.vectors, values(kind).astype(np.float32))
    assert dataset.vectors.dtype == np.float32
    assert dataset.description == (f"vectors are {called}, converted to float32." if called else "")
    folder.array("vectors", VECTORS)
    folder.array("queries", values(kind)[:QUERIES])
    assert folder.load().description == (f"queries are {called}, converted to float32." if called else "")


@KINDS
def test_hdf5(kind: str, called: str | None, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file.attrs["distance"] = "euclidean"
        file["train"], file["test"] = values(kind), values(kind)[:QUERIES]
    dataset = load_dataset(str(tmp_path / "x.hdf5"), cache=tmp_path / "cache")
    np.testing.assert_array_equal(dataset.vectors, values(kind).astype(np.float32))
    np.testing.assert_array_equal(dataset.queries, values(kind)[:QUERIES].astype(np.float32))
    told = f"vectors are {called}, converted to float32. queries are {called}, converted to float32."
    assert dataset.description == (told if called else "")
