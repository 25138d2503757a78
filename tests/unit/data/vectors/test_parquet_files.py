"""Columns of Parquet files as vectors: lists of every kind of number, tensors, JSON; which column; what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.data.stored import arrays
from harness.data.user.vectors.opening import open_matrix
from tests.unit.data.user_data import DIM, ROWS, VECTORS
from tests.unit.data.vectors.read import refused, rows_of

WHOLE = np.random.default_rng(3).integers(0, 100, (ROWS, DIM))
LISTS = WHOLE.tolist()
TENSOR = pa.fixed_shape_tensor(pa.float32(), (2, DIM // 2))


def write(folder: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), folder / "x.parquet", row_group_size=16)
    return folder / "x.parquet"


def tensors(values: np.ndarray) -> pa.Array:
    flat = pa.array(values.astype(np.float32).reshape(-1))
    return pa.ExtensionArray.from_storage(TENSOR, pa.FixedSizeListArray.from_arrays(flat, DIM))


@pytest.mark.parametrize(
    ("column", "note"),
    [
        (pa.array(LISTS, pa.list_(pa.float16())), ""),
        (pa.array(LISTS, pa.large_list(pa.float64())), ""),
        (pa.array(LISTS, pa.list_view(pa.float32())), ""),
        (pa.array(LISTS, pa.list_(pa.float32(), DIM)), ""),
        (tensors(WHOLE), ""),
        (pa.array(LISTS), "are int64, converted to float32"),
        (pa.array(LISTS, pa.list_(pa.int8(), DIM)), "are int8, converted to float32"),
        (pa.array(LISTS, pa.large_list(pa.uint8())), "are uint8, converted to float32"),
        (pa.array((WHOLE % 2 == 0).tolist()), "are booleans, converted to float32"),
        (pa.array(map(json.dumps, LISTS)), "are JSON text, converted to float32"),
        (pa.array([f" {row} " for row in LISTS], pa.large_string()), "are JSON text, converted to float32"),
    ],
    ids=lambda value: str(getattr(value, "type", "")),
)
@pytest.mark.parametrize("block_bytes", [arrays.BLOCK_BYTES, 7 * 4 * DIM])
def test_vectors_are_lists_of_numbers_however_stored(
    column: pa.Array, note: str, block_bytes: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "BLOCK_BYTES", block_bytes)
    matrix = open_matrix([write(tmp_path, n=range(ROWS), v=column)])
    assert (matrix.rows, matrix.dim, matrix.note, matrix.column) == (ROWS, DIM, note, "v")
    expected = WHOLE % 2 == 0 if "booleans" in note else WHOLE
    np.testing.assert_array_equal(rows_of(matrix), expected.astype(np.float32))


def test_json_keeps_the_digits(tmp_path: Path) -> None:
    texts = [json.dumps(row) for row in VECTORS.astype(float).tolist()]
    np.testing.assert_array_equal(rows_of(open_matrix([write(tmp_path, v=texts)])), VECTORS)


FLOATS, TEXTS = VECTORS.tolist(), [json.dumps(row) for row in LISTS]
TAGS = [[row] * (row % 3) for row in range(ROWS)]
NOTES = ["[sic]", *["[1] of 2"] * (ROWS - 1)]


@pytest.mark.parametrize(
    ("columns", "chosen"),
    [
        ({"sizes": LISTS, "v": FLOATS, "json": TEXTS}, "v"),
        ({"tags": TAGS, "v": LISTS, "json": TEXTS}, "v"),
        ({"tags": TAGS, "v": TEXTS, "note": NOTES}, "v"),
        ({"words": [["a", "b"]] * ROWS, "v": LISTS}, "v"),
    ],
)
def test_the_likeliest_column_is_taken(columns: dict[str, Any], chosen: str, tmp_path: Path) -> None:
    assert open_matrix([write(tmp_path, **columns)]).column == chosen


def test_any_column_that_may_hold_vectors_can_be_named(tmp_path: Path) -> None:
    path = write(tmp_path, sizes=LISTS, v=FLOATS, json=TEXTS, tags=TAGS, note=NOTES)
    for name in ("sizes", "v", "json"):
        assert open_matrix([path], name).column == name
    for name in ("tags", "note", "gone"):
        told = f"x.parquet: vectors: column '{name}' holds no vectors; these do: v"
        assert refused(path, column=name) == [told]


def but(values: list[Any], **rows: Any) -> list[Any]:
    """The values, but for some rows: r17=[1]."""
    return [rows.get(f"r{row}", value) for row, value in enumerate(values)]


@pytest.mark.parametrize(
    ("column", "told"),
    [
        (but(FLOATS, r17=[1.0]), "row 17 has 1 numbers, but row 0 has 4; every row needs"),
        (but(FLOATS, r17=None), "row 17 is null, but row 0 has 4"),
        (but(FLOATS, r17=[1.0, None, 2.0, 3.0]), "row 17 column 1 is nan (1 such values in 1 rows;"),
        (but(FLOATS, r0=[]), "row 0 holds no vector; remove rows without one"),
        (but(LISTS, r17=[1, 2, 3, 2**24 + 1]), "row 17 column 3 is 16777217, and float32 holds integers up to 2^24"),
        (but(LISTS, r17=[1, 2, 3, -(2**62)]), "row 17 column 3 is -4611686018427387904, and float32"),
        (but(TEXTS, r17="[1, 2, 3]"), "row 17 has 3 numbers, but row 0 has 4"),
        (but(TEXTS, r17=None), "row 17 is null, but row 0 has 4"),
        (but(TEXTS, r0=None), "row 0 holds no vector"),
        (but(TEXTS, r17="[1, 2, 3, NaN]"), "row 17 column 3 is nan"),
        (but(TEXTS, r17=f"[1, 2, 3, {'9' * 400}]"), "row 17 column 3 is inf"),
        (but(TEXTS, r17=""), "row 17 is no list of numbers in JSON but ''; write it as in [0.25, -1.5]"),
        (but(TEXTS, r17="[0.1 0.2 0.3 0.4]"), "row 17 is no list of numbers in JSON but '[0.1 0.2"),
        (but(TEXTS, r17="[1, 2, 3, true]"), "row 17 is no list of numbers in JSON but"),
        (but(TEXTS, r17='{"a": 1}'), "row 17 is no list of numbers in JSON but"),
        (but(TEXTS, r17="[" * 5_000), "row 17 is no list of numbers in JSON but"),
        (but(TEXTS, r17="9" * 5_000), "row 17 is no list of numbers in JSON but"),
    ],
)  # fmt: skip
def test_rows_that_are_no_vectors_are_named(column: list[Any], told: str, tmp_path: Path) -> None:
    (problem,) = refused(write(tmp_path, v=column))
    assert problem.startswith(f"x.parquet: column 'v': {told}")


@pytest.mark.parametrize(
    "columns",
    [
        {"v": [b"\x00" * 16] * ROWS},
        {"v": [[["1.0"]]] * ROWS},
        {"v": TAGS},
        {"v": NOTES},
        {"v": pa.nulls(ROWS, pa.string())},
        {"v": pa.array([], pa.string())},
        {"v": ["[]"] * ROWS},
        {"v": ["[[1, 2]]"] * ROWS},
    ],
)
def test_columns_that_are_no_vectors(columns: dict[str, Any], tmp_path: Path) -> None:
    assert refused(write(tmp_path, **columns)) == [
        "x.parquet: no column holds vectors (lists of numbers, all of one length), it has: v"
    ]


@pytest.mark.parametrize("column", [LISTS, TEXTS, FLOATS])
def test_damage_where_it_is_probed_is_told(column: list[Any], tmp_path: Path) -> None:
    path = write(tmp_path, v=column)
    content = bytearray(path.read_bytes())
    content[4:104] = b"\xff" * 100
    path.write_bytes(content)
    (problem,) = refused(path)
    assert problem.startswith("x.parquet: column 'v': cannot be read (")


def test_a_large_group_of_rows_is_never_in_memory_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 1 << 20)
    values = np.random.default_rng(4).standard_normal((1 << 18, 16), dtype=np.float32)
    column = pa.FixedSizeListArray.from_arrays(values.reshape(-1), 16).cast(pa.list_(pa.float32()))
    pq.write_table(pa.table({"v": column}), tmp_path / "x.parquet", row_group_size=len(values))
    del column
    before, most, rows = pa.total_allocated_bytes(), 0, 0
    for block in open_matrix([tmp_path / "x.parquet"]).blocks():
        np.testing.assert_array_equal(block, values[rows : rows + len(block)])
        rows, most = rows + len(block), max(most, pa.total_allocated_bytes() - before)
    assert rows == len(values)
    assert most < values.nbytes / 2
