"""One matrix in several files: the rows in the order of the files, and faults named by file and row."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.user.vectors.opening import open_matrix
from harness.data.user.vectors.transfer import transfer
from harness.progress import silent
from tests.unit.data.user_data import DIM, VECTORS
from tests.unit.data.vectors.read import refused, rows_of

SPLITS = (7, 30)  # three parts


def as_npy(path: Path, values: Any) -> Path:
    np.save(path.with_suffix(".npy"), values)
    return path.with_suffix(".npy")


def as_parquet(path: Path, values: Any) -> Path:
    path = path.with_suffix(".parquet")
    pq.write_table(pa.table({"v": pa.array(np.asarray(values).tolist(), pa.list_(pa.float32()))}), path)
    return path


Write = Callable[[Path, Any], Path]
KINDS = pytest.mark.parametrize("write", [as_npy, as_parquet])


def parts_of(folder: Path, write: Write, values: Any = VECTORS) -> list[Path]:
    return [write(folder / f"part-{i}", part) for i, part in enumerate(np.split(values, SPLITS))]


@KINDS
def test_parts_make_one_matrix_in_the_order_given(write: Write, tmp_path: Path) -> None:
    parts = parts_of(tmp_path, write)
    matrix = open_matrix(parts)
    assert (matrix.rows, matrix.dim, matrix.usable) == (*VECTORS.shape, None)
    np.testing.assert_array_equal(rows_of(matrix), VECTORS)
    last_first = np.concatenate([VECTORS[30:], VECTORS[:30]])
    np.testing.assert_array_equal(rows_of(open_matrix([parts[2], *parts[:2]])), last_first)


@KINDS
def test_a_faulty_value_is_named_by_part_and_row(write: Write, tmp_path: Path) -> None:
    values = VECTORS.copy()
    assert transfer(open_matrix(parts_of(tmp_path, write, values)), "cosine", [], silent) == []
    values[[7, 29], 2], values[32] = np.nan, 0
    not_finite, zero = transfer(open_matrix(parts_of(tmp_path, write, values)), "cosine", [], silent)
    assert "part-1" in not_finite and "row 0 column 2 is nan, part-1" in not_finite
    assert "row 22 column 2 is nan (2 such values in 2 rows;" in not_finite
    assert "part-2" in zero and "row 2 is a zero vector (1 in all)" in zero


@KINDS
def test_parts_of_another_width_are_named(write: Write, tmp_path: Path) -> None:
    parts = parts_of(tmp_path, write)
    write(parts[1], VECTORS[:, 1:])
    (problem,) = refused(*parts)
    assert problem.startswith("part-1.") and f"has {DIM - 1} dimensions, but part-0." in problem


def test_parts_without_rows_are_passed_over_unless_all_are(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, as_parquet)
    as_parquet(parts[1], VECTORS[:0])
    matrix = open_matrix(parts)
    np.testing.assert_array_equal(rows_of(matrix), np.delete(VECTORS, np.s_[7:30], axis=0))
    assert matrix.place(7) == "part-2.parquet: column 'v' row 0"
    for part in parts:
        as_parquet(part, VECTORS[:0])
    (problem,) = refused(*parts)
    assert problem == f"{tmp_path}: all parts are empty"


def test_the_same_column_is_wanted_of_every_part(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, as_parquet)
    pq.write_table(pa.table({"w": VECTORS.tolist()}), parts[2])
    (problem,) = refused(*parts)
    assert problem == "part-2.parquet: vectors: column 'v' holds no vectors; these do: w"


def test_every_damaged_part_is_named(tmp_path: Path) -> None:
    parts = parts_of(tmp_path, as_npy)
    for part in parts[1:]:
        part.write_bytes(part.read_bytes()[:-5])
    problems = refused(*parts)
    assert [problem.partition(": is no intact .npy file")[0] for problem in problems] == [
        "part-1.npy",
        "part-2.npy",
    ]
    other = tmp_path / "part-9.txt"
    other.write_text("1,2")
    assert refused(parts[0], other)[0].startswith(
        "part-9.txt: is no file of vectors that can be read; its ending must be one of .npy"
    )
