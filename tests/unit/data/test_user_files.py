"""Bring your own data as one file, Parquet or HDF5: what is understood, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.catalogue import load_dataset
from harness.errors import ConfigurationError
from tests.unit.data.user_data import DIM, QUERIES, ROWS, VECTORS, check_held_out, every


def hdf5(path: Path, distance: str | None, **data: Any) -> Path:
    with h5py.File(path, "w") as file:
        if distance is not None:
            file.attrs["distance"] = distance
        for name, values in data.items():
            file[name] = values
    return path


@pytest.mark.parametrize("fixed", [True, False])
def test_a_single_parquet_brings_vectors_and_attributes(fixed: bool, tmp_path: Path) -> None:
    kind = pa.list_(pa.float32(), DIM) if fixed else pa.list_(pa.float64())
    columns = {
        "id": every(lambda row: f"i{row}"),
        "embedding": pa.array(VECTORS.tolist(), kind),
        "row": range(ROWS),
    }
    pq.write_table(pa.table(columns), tmp_path / "items.parquet", row_group_size=7)
    (tmp_path / "items.yaml").write_text("metric: cosine\n")
    dataset = load_dataset(str(tmp_path / "items.parquet"), cache=tmp_path / "cache")
    assert (dataset.name, dataset.metric) == ("items", "cosine")
    assert [a.name for a in dataset.attributes] == ["row"]
    check_held_out(dataset, ROWS // 10)


@pytest.mark.parametrize(
    ("distance", "metric"), [("euclidean", "l2"), ("angular", "cosine"), ("ip", "ip"), ("dot", "ip")]
)
def test_an_ann_benchmarks_file_brings_metric_and_queries(distance: str, metric: str, tmp_path: Path) -> None:
    neighbours = np.zeros((QUERIES, 3), dtype=np.int32)  # wrong, and must not matter
    path = hdf5(tmp_path / "x.hdf5", distance, train=VECTORS, test=VECTORS[:QUERIES], neighbors=neighbours)
    dataset = load_dataset(str(path), cache=tmp_path / "cache")
    assert (dataset.metric, dataset.attributes) == (metric, ())
    np.testing.assert_array_equal(dataset.vectors, VECTORS)
    np.testing.assert_array_equal(dataset.queries, VECTORS[:QUERIES])


def test_the_vector_column_may_be_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": VECTORS.tolist(), "n": range(ROWS)}), tmp_path / "x.parquet")
    dataset = load_dataset(
        f"{tmp_path / 'x.parquet'}:metric=ip,vectors=a,name=named", cache=tmp_path / "cache"
    )
    assert (dataset.name, dataset.vectors.shape[1]) == ("named", DIM)


@pytest.mark.parametrize(
    ("columns", "sidecar", "told"),
    [
        ({"n": [1, 2]}, "metric: l2", "no column holds vectors (lists of numbers, all of one length), it has: n"),
        ({"a": [[1.0]] * 20, "b": [[1.0]] * 20}, "metric: l2", "several columns hold vectors (a, b); name one, as in"),
        ({"a": [[1.0]] * 20}, "metric: l2\nvectors: z", "column 'z' holds no vectors; these do: a"),
        ({"a": [[1.0, 2.0]] * 5 + [[1.0]] * 15}, "metric: l2", "row 5 has 1 numbers, but row 0 has 2"),
        ({"a": [[1.0, 2.0]] * 5 + [None] * 15}, "metric: l2", "row 5 is null, but row 0 has 2"),
        ({"a": [[1.0, None]] * 20}, "metric: l2", "row 0 column 1 is nan"),
        ({"a": pa.array([None] * 20, pa.list_(pa.float32()))}, "metric: l2", "row 0 holds no vector"),
        ({"a": pa.array([], pa.list_(pa.float32()))}, "metric: l2", "is empty"),
        ({"a": [[1.0]] * 20}, "name: x", "x.yaml: metric is missing"),
    ],
)  # fmt: skip
def test_parquet_files_without_usable_vectors(
    columns: dict[str, Any], sidecar: str, told: str, tmp_path: Path
) -> None:
    pq.write_table(pa.table(columns), tmp_path / "x.parquet", row_group_size=4)
    (tmp_path / "x.yaml").write_text(sidecar)
    with pytest.raises(ConfigurationError, match=r"x\.") as caught:
        load_dataset(str(tmp_path / "x.parquet"), cache=tmp_path / "cache")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("distance", "data", "told"),
    [
        ("jaccard", {"train": VECTORS}, "distance 'jaccard' cannot be measured; these can: l2 (euclidean)"),
        ("hamming", {"train": VECTORS}, "distance 'hamming' cannot be measured"),
        ("euclidean", {"rain": VECTORS}, "'train' is missing, the file holds rain; call the vectors train"),
        ("euclidean", {"train/a": VECTORS}, "'train' is no array; store"),
        ("euclidean", {"train": VECTORS, "test": VECTORS[:, :2]}, "'test': has 2 dimensions"),
        ("euclidean", {"train": VECTORS[0]}, "'train': must have 2 dimensions"),
        ("euclidean", {"train": VECTORS.astype(int)}, "'train': must be float32"),
        (None, {"train": VECTORS}, "metric is missing"),
        ("angular", {"train": VECTORS * 0}, "row 0, row 1, row 2 is a zero vector (40 in all)"),
    ],
)
def test_hdf5_files_that_cannot_be_measured(
    distance: str | None, data: dict[str, Any], told: str, tmp_path: Path
) -> None:
    path = hdf5(tmp_path / "x.h5", distance, **data)
    with pytest.raises(ConfigurationError) as caught:
        load_dataset(str(path), cache=tmp_path / "cache")
    assert told in str(caught.value)


def test_sparse_and_broken_hdf5_and_contradictions(tmp_path: Path) -> None:
    path = hdf5(tmp_path / "x.h5", "ip", train=VECTORS, test=VECTORS)
    for changes, told in (
        (":metric=l2", "metric is l2, but"),
        (":text=a", "fill, tags, text, columns and exclude are about columns"),
    ):
        with pytest.raises(ConfigurationError, match=told):
            load_dataset(f"{path}{changes}", cache=tmp_path / "cache")
    with h5py.File(path, "a") as file:
        file.attrs["type"] = "sparse"
    with pytest.raises(ConfigurationError, match="sparse"):
        load_dataset(str(path), cache=tmp_path / "cache")
    path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(ConfigurationError, match="no intact HDF5"):
        load_dataset(str(path), cache=tmp_path / "cache")


def test_an_hdf5_file_that_cannot_be_read_is_not_blamed_for_its_metric(tmp_path: Path) -> None:
    path = tmp_path / "x.hdf5"
    path.write_text("text")
    with pytest.raises(ConfigurationError) as caught:
        load_dataset(str(path), cache=tmp_path / "cache")
    assert len(caught.value.problems) == 1


def test_other_files_are_no_dataset(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("a,b")
    with pytest.raises(ConfigurationError, match=r"items\.csv: is no dataset; give a folder"):
        load_dataset(str(path), cache=tmp_path)
