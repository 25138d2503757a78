"""Files damaged on their way, and files that stand for more than they hold: named, never a traceback."""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.catalogue import load_dataset
from harness.errors import ConfigurationError
from tests.unit.data.user_data import ROWS, VECTORS, Folder

EXAMPLES = int(os.environ.get("BAKEOFF_FUZZ_EXAMPLES", "40"))


def hdf5(path: Path) -> Path:
    with h5py.File(path, "w") as file:
        file["train"], file["test"] = VECTORS, VECTORS[:5]
        file.attrs["distance"] = "euclidean"
    return path


def write(folder: Folder, kind: str) -> tuple[Path, str]:
    """An intact file of a kind, and the dataset that it belongs to."""
    if kind == "npy":
        return folder.path / "vectors.npy", str(folder.path)
    if kind == "hdf5":
        path = hdf5(folder.path / "data.hdf5")
        return path, str(path)
    path = folder.path / "data.parquet"
    pq.write_table(pa.table({"v": VECTORS.tolist(), "word": ["a", "b"] * (ROWS // 2)}), path)
    return path, f"{path}:metric=l2,queries=5"


@pytest.mark.parametrize("kind", ["npy", "parquet", "hdf5"])
def test_a_few_changed_bytes_are_told_or_make_other_values(folder: Folder, kind: str) -> None:
    path, reference = write(folder, kind)
    intact = path.read_bytes()
    load_dataset(reference, cache=folder.cache)
    rng, outcomes = random.Random(7), Counter[str]()
    for number in range(EXAMPLES):
        data = bytearray(intact)
        # The headers are where a change breaks the structure: at the start, of Parquet at the end.
        first, last = (
            (0, 128) if kind == "npy" else (0, len(data)) if number % 2 else (len(data) // 2, len(data))
        )
        for _ in range(rng.choice((1, 3, 20))):
            data[rng.randrange(first, last)] = rng.choice((rng.randrange(256), *b"()[]{}',:0-"))
        path.write_bytes(data)
        try:
            load_dataset(reference, cache=folder.cache / str(number))
        except ConfigurationError as error:
            assert all(problem.startswith(str(path)) for problem in error.problems), error.problems
            outcomes["refused"] += 1
        else:
            outcomes["read"] += 1
    assert outcomes["refused"] >= EXAMPLES // 8, outcomes


def test_a_header_that_is_no_python_is_told(folder: Folder) -> None:
    path = folder.path / "vectors.npy"
    path.write_bytes(path.read_bytes()[:10] + b"(" * 117 + b"\n")
    (problem,) = folder.problems()
    assert problem.startswith("vectors.npy: is no intact .npy file of numbers")


@pytest.mark.parametrize(
    ("link", "told"),
    [
        (h5py.SoftLink("/nowhere"), "'train' is a link to what is not there"),
        (h5py.ExternalLink("gone.hdf5", "/train"), "'train' is a link to what is not there"),
        (h5py.SoftLink("/train"), "is no intact HDF5 file"),
    ],
)
def test_links_that_lead_nowhere_are_told(tmp_path: Path, link: Any, told: str) -> None:
    path = hdf5(tmp_path / "data.hdf5")
    with h5py.File(path, "r+") as file:
        del file["train"]
        file["train"] = link
    with pytest.raises(ConfigurationError, match=told):
        load_dataset(str(path), cache=tmp_path / "c")


def test_a_small_file_that_stands_for_more_than_the_disk_holds_is_refused_with_figures(
    tmp_path: Path,
) -> None:
    path = hdf5(tmp_path / "data.hdf5")
    with h5py.File(path, "r+") as file:
        del file["train"]
        file.create_dataset("train", (10**11, 10**6), dtype="f4", chunks=(1000, 1000))
    told = r"data.hdf5: 'train' \(100,000,000,000 x 1,000,000\).*: needs 372,529,029.8 GiB on disk"
    with pytest.raises(ConfigurationError, match=told):
        load_dataset(str(path), cache=tmp_path / "c")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (pa.int8(), "99999999999999999999"),
        (pa.int64(), "-9223372036854775809"),
        (pa.float64(), "1" + "0" * 350),
    ],
)
def test_what_stands_in_for_missing_values_fits_the_column(folder: Folder, kind: Any, value: str) -> None:
    folder.table(n=pa.array([None, *range(1, ROWS)], kind))
    folder.text("dataset.yaml", f"metric: l2\nfill: {{n: {value}}}")
    (problem,) = folder.problems()
    assert "attributes.parquet: column 'n': is " in problem
    assert "fill cannot be " in problem and problem.endswith("; correct it in dataset.yaml")
    fitting = -(2**63) if kind == pa.int64() else 2**60 + 1  # the latter is no float64
    folder.text("dataset.yaml", f"metric: l2\nfill: {{n: {fitting}}}")
    assert np.asarray(folder.load().columns["n"])[0] == fitting or kind == pa.float64()


@pytest.mark.parametrize("value", ["null", "[1]", "{a: 1}"])
def test_what_cannot_stand_in_is_told_once(folder: Folder, value: str) -> None:
    folder.text("dataset.yaml", f"metric: l2\nfill: {{n: {value}}}")
    (problem,) = folder.problems()
    assert problem.startswith("dataset.yaml: fill.n must be text, a number or a boolean, got ")


def test_the_remedy_names_the_file_beside_a_parquet_file(folder: Folder) -> None:
    path = folder.path / "mine.parquet"
    pq.write_table(pa.table({"v": VECTORS.tolist(), "n": pa.nulls(ROWS, pa.int8())}), path)
    with pytest.raises(ConfigurationError, match=r"fill cannot be 'x'; correct it in mine\.yaml"):
        load_dataset(f"{path}:metric=l2,queries=5,fill.n=x", cache=folder.cache)
