"""A data set in 20 Parquet files, as `make perf` measures it with two million rows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.catalogue import load_dataset
from harness.data.describe import describe
from harness.errors import ConfigurationError
from tests.perf.describing import DIM, FILES, REPEATED, write_files

ROWS = FILES * 2 * REPEATED


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    (tmp_path / "items").mkdir()
    return write_files(tmp_path / "items", ROWS)


def reference(files: list[Path], queries: int = 1) -> str:
    return f"{files[0].parent}:metric=l2,queries={queries}"


def test_they_are_one_data_set(files: list[Path], tmp_path: Path) -> None:
    dataset = load_dataset(reference(files), cache=tmp_path / "cache")
    assert dataset.vectors.shape == (ROWS - 1, DIM)
    rows = {row["id"]: row for file in files for row in pq.read_table(file).to_pylist()}
    assert dataset.ids is not None
    for name, values in (("vector", dataset.vectors), ("price", dataset.columns["price"])):
        np.testing.assert_array_equal(
            values, np.array([rows[one][name] for one in dataset.ids], np.asarray(values).dtype)
        )
    repeated = ROWS - 1 - len(np.unique(dataset.vectors, axis=0))
    assert (FILES - 1) * REPEATED - 1 <= repeated <= (FILES - 1) * REPEATED
    lines = describe(dataset).splitlines()
    assert f"duplicates   {repeated} vectors repeat an earlier one" in lines


def rewritten(file: Path, vectors: list[list[float]]) -> None:
    table = pq.read_table(file)
    place = table.schema.get_field_index("vector")
    pq.write_table(table.set_column(place, "vector", pa.array(vectors, pa.list_(pa.float32()))), file)


def test_what_is_wrong_in_one_of_them_is_named_there(files: list[Path], tmp_path: Path) -> None:
    intact = pq.read_table(files[7]).column("vector").to_pylist()
    for change, told in (
        (lambda row, values: [*values[:3], np.nan, *values[4:]] if row == 9 else values, "row 9 column 3 is nan"),
        (lambda row, values: values[1:] if row == 9 else values, f"row 9 has {DIM - 1} numbers, but row 0 has {DIM}"),
        (lambda _, values: values[1:], f"has {DIM - 1} dimensions, but"),
    ):  # fmt: skip
        rewritten(files[7], [change(row, values) for row, values in enumerate(intact)])
        with pytest.raises(ConfigurationError) as caught:
            load_dataset(reference(files), cache=tmp_path / "cache")
        (problem,) = caught.value.problems
        assert "part-0007.parquet" in problem and told in problem
    rewritten(files[7], intact)
    assert load_dataset(reference(files), cache=tmp_path / "cache").vectors.shape == (ROWS - 1, DIM)
