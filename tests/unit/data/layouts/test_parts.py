"""One data set in several files: which belong together, in which order, and where one is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.catalogue import load_dataset
from harness.data.dataset import Dataset
from harness.errors import ConfigurationError
from tests.unit.data.user_data import DIM, QUERIES, ROWS, VECTORS, Folder

PARTS = np.array_split(np.arange(ROWS), 12)  # so that 10 comes after 2


def written(folder: Path, name: str, **columns: Any) -> None:
    folder.mkdir(exist_ok=True)
    pq.write_table(pa.table(columns), folder / name)


def load(folder: Path, changes: str = ":metric=l2") -> Dataset:
    return load_dataset(f"{folder}{changes}", cache=folder.parent / "cache")


def problems(folder: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(folder)
    return [problem.replace(f"{folder}", "data") for problem in caught.value.problems]


@pytest.mark.parametrize(
    "name",
    [
        "part-{}.parquet",
        "{:05}.parquet",
        "train-{:02}-of-12.parquet",
        "part-{:05}-6fa1c-c000.snappy.parquet",
        "Offers of May {}.parquet",
        "vectors_{}.parquet",
    ],
)
def test_parquet_parts_bring_vectors_and_attributes_in_natural_order(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for number, rows in enumerate(PARTS):
        kind = pa.int32() if number % 2 else pa.int64()
        written(folder, name.format(number), v=VECTORS[rows].tolist(), row=pa.array(rows, kind))
    written(folder, "queries.parquet", v=VECTORS[:QUERIES].tolist())
    (folder / "_SUCCESS").touch()
    dataset = load(folder)
    np.testing.assert_array_equal(dataset.vectors, VECTORS)
    np.testing.assert_array_equal(dataset.queries, VECTORS[:QUERIES])
    np.testing.assert_array_equal(dataset.columns["row"], np.arange(ROWS))
    assert "not used" not in dataset.description


def test_arrays_in_parts(folder: Folder) -> None:
    (folder.path / "vectors.npy").unlink()
    for number, rows in enumerate(PARTS):
        folder.array(f"vectors-{number}", VECTORS[rows])
        written(folder.path, f"attributes-{number}.parquet", row=rows)
    dataset = folder.load()
    np.testing.assert_array_equal(dataset.vectors, VECTORS)
    np.testing.assert_array_equal(dataset.columns["row"], np.arange(ROWS))
    (folder.path / "vectors-7.npy").unlink()
    assert problems(folder.path) == [
        "data: of the parts like vectors-0.npy, number 7 is missing; add it, or number them anew"
    ]


def test_a_missing_part_of_files_of_any_name_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    for number, rows in enumerate(PARTS):
        written(folder, f"part-{number:05}.parquet", v=VECTORS[rows].tolist())
    assert len(load(folder).vectors) > 0
    (folder / "part-00007.parquet").unlink()
    assert problems(folder) == [
        "data: of the parts like part-00000.parquet, number 7 is missing; add it, or number them anew"
    ]


@pytest.mark.parametrize("second", ["listings-20240201.parquet", "listings-99999999999999.parquet"])
def test_days_and_times_in_names_are_no_count(second: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    written(folder, "listings-20240131.parquet", v=VECTORS[:30].tolist())
    written(folder, second, v=VECTORS[30:].tolist())
    written(folder, "queries.parquet", v=VECTORS[:QUERIES].tolist())
    np.testing.assert_array_equal(load(folder).vectors, VECTORS)


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ({"v": [[1.0] * DIM]}, "data/part-1.parquet: has no column 'n', but part-0.parquet has"),
        ({"v": [[1.0] * DIM], "n": [1], "m": [1]}, "data/part-0.parquet: has no column 'm', but part-1.parquet"),
        ({"v": [[1.0] * DIM], "n": ["a"]}, "data/part-1.parquet: column 'n' is string, but int64 in part-0.parquet"),
        ({"v": [[1.0]], "n": [1]}, "part-1.parquet: column 'v': has 1 dimensions, but"),
        ({"v": ["a"], "n": [1]}, "part-1.parquet: "),
    ],
)  # fmt: skip
def test_parts_that_differ_are_named(second: dict[str, Any], told: str, tmp_path: Path) -> None:
    written(tmp_path / "data", "part-0.parquet", v=VECTORS.tolist(), n=range(ROWS))
    written(tmp_path / "data", "part-1.parquet", **second)
    assert any(told in problem for problem in problems(tmp_path / "data"))


def test_of_parts_that_cannot_be_opened_it_is_not_said_that_there_are_no_columns(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    written(folder, "part-0.parquet", v=VECTORS.tolist(), n=range(ROWS))
    written(folder, "part-1.parquet", v=VECTORS.tolist())
    (folder / "dataset.yaml").write_text("metric: l2\nexclude: [n]\n")
    assert len(problems(folder)) == 1


def test_a_part_without_rows_and_one_of_nulls_fit(tmp_path: Path) -> None:
    folder, vectors = tmp_path / "data", pa.list_(pa.float32())
    written(folder, "part-0.parquet", v=pa.array([], vectors), n=pa.nulls(0))
    written(
        folder, "part-1.parquet", v=pa.array(VECTORS.tolist(), vectors), n=pa.array(range(ROWS), pa.int8())
    )
    assert load(folder).attributes[0].kind == "integer"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        (["vectors.npy", "vectors-0.npy"], "each of these may hold the vectors: vectors-0.npy, vectors.npy"),
        (["train.parquet", "shuffle_train.parquet"], "each of these may hold the vectors: shuffle_train"),
        (["train-00-of-03.parquet", "train-01-of-03.parquet"], "holds 2 parts like train-00-of-03.parquet of 3; add"),
        (["a.parquet", "b.parquet"], "which of its Parquet files hold the vectors is open: a.parquet, b.parquet; call"),
        (["queries.npy"], "vectors.npy is missing (the folder holds: queries.npy)"),
        (["neighbors.parquet"], "vectors.npy is missing (the folder holds: neighbors.parquet)"),
        ([], "vectors.npy is missing (the folder holds: nothing)"),
    ],
)  # fmt: skip
def test_folders_that_leave_open_what_they_hold(files: list[str], told: str, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in files:
        if name.endswith(".npy"):
            np.save(folder / name, VECTORS)
        else:
            written(folder, name, v=VECTORS.tolist())
    assert any(told in problem for problem in problems(folder))


def test_many_parts_with_few_rows_are_read_as_one(tmp_path: Path) -> None:
    """The cheap twin of what `make perf` measures with two million rows."""
    folder = tmp_path / "data"
    for number in range(20):
        rows = np.arange(number * 100, number * 100 + 100)
        written(
            folder,
            f"part-{number:04}.parquet",
            id=[f"sku-{row}" for row in rows],
            v=np.outer(rows, np.ones(DIM, np.float32)).tolist(),
            word=[f"w{row % 7}" for row in rows],
        )
    dataset = load(folder, ":metric=l2,queries=10")
    assert (len(dataset.vectors), len(dataset.queries)) == (1990, 10)
    assert dataset.ids is not None
    assert [f"sku-{int(vector[0])}" for vector in dataset.vectors] == dataset.ids.tolist()
