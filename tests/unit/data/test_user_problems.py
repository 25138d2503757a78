"""What is wrong with a user's files, and how it is reported."""

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
from tests.unit.data.user_data import DIM, QUERIES, ROWS, VECTORS, Folder, every


def test_every_problem_is_told_at_once(folder: Folder) -> None:
    bad = VECTORS.copy()
    bad[3, 2], bad[9, 0], bad[9, 1] = np.nan, np.inf, -np.inf
    bad[11] = 0
    folder.array("vectors", bad)
    folder.array("queries", np.ones((QUERIES, DIM + 1)))
    folder.table(id=["a", "b", "a", *map(str, range(ROWS - 4))], price=[float("inf")] + [1.0] * (ROWS - 2))
    folder.text("filters.jsonl", '{"prise": 3}\n')
    folder.text("dataset.yaml", "metric: cosine\ntext: [nope]\n")
    problems = folder.problems()
    for told in (
        "vectors.npy: row 3 column 2 is nan, row 9 column 0 is inf (3 such values in 2 rows;",
        "vectors.npy: row 11 is a zero vector (1 in all)",
        f"queries.npy: has {DIM + 1} dimensions, but {folder.path}/vectors.npy has {DIM}",
        f"attributes.parquet: has {ROWS - 1} rows, but {folder.path}/vectors.npy has {ROWS}",
        "attributes.parquet: column 'id': ids occur twice: 'a' in rows 0 and 2 (1 in all)",
        "attributes.parquet: column 'price': row 0 is infinite",
        "dataset.yaml: text: attributes.parquet has no column 'nope' (it has: price)",
        f"filters.jsonl: has 1 lines, but there are {QUERIES} queries",
        "filters.jsonl: line 1: unknown column 'prise' (did you mean 'price'? the dataset has: price)",
    ):
        assert any(problem.startswith(told) for problem in problems), (told, problems)
    assert len(problems) == 9


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.ones(7, np.float32), "must have 2 dimensions (items x numbers), its shape is (7,)"),
        (np.ones((0, 4), np.float32), "is empty, its shape is (0, 4)"),
        (np.ones((4, 0), np.float32), "is empty, its shape is (4, 0)"),
        (
            np.ones((4, 2), np.int64),
            "uint8 or boolean, is int64; use astype('float32')",
        ),
        (np.array([["a"]]), "must be float32"),
        (np.array([[{}]], dtype=object), "is no intact .npy file of numbers"),
        (np.full((20, 2), 1e300), "row 0 column 0 is inf"),
    ],
)
def test_arrays_that_cannot_be_vectors(values: Any, told: str, folder: Folder) -> None:
    folder.array("vectors", values)
    assert any("vectors.npy" in problem and told in problem for problem in folder.problems())


@pytest.mark.parametrize("name", ["vectors.npy", "queries.npy", "attributes.parquet"])
@pytest.mark.parametrize("size", [0, 3, 100, 200])
def test_files_that_are_cut_off(name: str, size: int, folder: Folder) -> None:
    folder.table(n=range(ROWS))
    path = folder.path / name
    path.write_bytes(path.read_bytes()[:size])
    (problem,) = folder.problems()
    assert problem.startswith(f"{name}: is no intact")


def damaged(path: Path) -> None:
    """Overwrites the first page of data, and leaves the file's description of itself (at the end)."""
    content = bytearray(path.read_bytes())
    content[4:104] = b"\xff" * 100
    path.write_bytes(content)


def test_files_with_damage_inside(folder: Folder, tmp_path: Path) -> None:
    many = np.random.default_rng(0).standard_normal((2000, DIM))
    folder.array("vectors", many)
    pq.write_table(pa.table({"n": many[:, 0]}), folder.path / "attributes.parquet")
    damaged(folder.path / "attributes.parquet")
    (problem,) = folder.problems()
    assert problem.startswith("attributes.parquet: column 'n': cannot be read (")

    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"v": many.tolist()}), path, row_group_size=500)
    damaged(path)
    with pytest.raises(ConfigurationError, match=r"x\.parquet"):
        load_dataset(f"{path}:metric=l2", cache=folder.cache)

    path = tmp_path / "x.hdf5"
    with h5py.File(path, "w") as file:
        file.attrs["distance"] = "euclidean"
        file.create_dataset("train", data=many, chunks=(500, DIM), compression="gzip")
        address = file["train"].id.get_chunk_info(3).byte_offset
    content = bytearray(path.read_bytes())
    content[address : address + 500] = b"\xff" * 500
    path.write_bytes(content)
    with pytest.raises(ConfigurationError, match="'train': cannot be read to its end"):
        load_dataset(str(path), cache=folder.cache)


def test_what_is_missing_is_told(folder: Folder) -> None:
    folder.text("dataset.yaml", "")
    (folder.path / "vectors.npy").rename(folder.path / "vector.npy")
    held = "dataset.yaml, queries.npy, vector.npy"
    assert folder.problems() == [
        f"{folder.path}: vectors.npy is missing (the folder holds: {held})",
        "dataset.yaml: metric is missing; write 'metric: l2', ip or cosine there, or add it to the command: "
        f"{folder.path}:metric=l2 or --metric l2",
    ]


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        (
            "metric: jaccard\n",
            "metric must be l2 (euclidean), ip (dot, inner_product) or cosine (angular), got 'jaccard'",
        ),
        ("metrik: l2\n", "metrik is not a known key"),
        ("metric: l2\nqueries: 3\n", "queries holds out rows, but"),
        ("metric: l2\nvectors: v\n", "vectors names a column, but"),
        (
            "metric: l2\nfill: {a: 1}\n",
            "fill, tags, text, columns and exclude are about columns, but there are none",
        ),
        ("metric: [\n", "is not YAML"),
    ],
)
def test_bad_manifests(manifest: str, told: str, folder: Folder) -> None:
    folder.cache.mkdir()
    folder.text("dataset.yaml", manifest)
    assert any("dataset.yaml" in problem and told in problem for problem in folder.problems())


@pytest.mark.parametrize(
    ("column", "fill", "told"),
    [
        (pa.array([b"\xff"] * ROWS).view(pa.string()), None, "Invalid UTF8 sequence"),
        (pa.array([[1, 2]] * ROWS), None, "type list<"),
        (pa.array([{"a": 1}] * ROWS), None, "type struct<"),
        (pa.array([b"x"] * ROWS), None, "type binary"),
        (pa.array([0] * 3 + [2**63] * (ROWS - 3), pa.uint64()), None, "row 3 exceeds 2^63 - 1"),
        (pa.array([1.0, float("inf")] * (ROWS // 2)), None, "row 1 is infinite"),
        (pa.array(["a", None] * (ROWS // 2)), "3", "is keyword, fill cannot be 3"),
        (pa.array([1, None] * (ROWS // 2)), "true", "is integer, fill cannot be True"),
        (pa.array([1, None] * (ROWS // 2)), "1.5", "is integer, fill cannot be 1.5"),
        (pa.array([True, None] * (ROWS // 2)), "0", "is boolean, fill cannot be 0"),
    ],
)
def test_columns_that_cannot_be_filtered(
    column: pa.Array, fill: str | None, told: str, folder: Folder
) -> None:
    folder.table(c=column)
    folder.text("dataset.yaml", "metric: l2\n" + (f"fill: {{c: {fill}}}\n" if fill else ""))
    (problem,) = folder.problems()
    assert problem.startswith("attributes.parquet: column 'c': ") and told in problem


def test_column_names_that_filters_cannot_use(folder: Folder) -> None:
    folder.table(**{"and": range(ROWS), "": range(ROWS), "ok": range(ROWS)})
    assert folder.problems() == [
        "attributes.parquet: column 'and': and, or, not are words of the filter language; rename it",
        "attributes.parquet: column '': has no name; rename it",
    ]


def test_column_names_that_occur_twice(folder: Folder) -> None:
    table = pa.Table.from_arrays([pa.array(range(ROWS))] * 5, names=["id", "id", "x", "x", "y"])
    pq.write_table(table, folder.path / "attributes.parquet")
    assert folder.problems() == [
        f"attributes.parquet: column '{name}' occurs more than once; rename or drop all but one"
        for name in ("id", "x")
    ]


@pytest.mark.parametrize(
    ("ids", "told"),
    [
        (
            ["a", None, "a", None, *map(str, range(ROWS - 4))],
            ["row 1 has no id", "'a' in rows 0 and 2 (1 in all)"],
        ),
        ([1.5] * ROWS, ["ids must be strings or integers, are double"]),
    ],
)
def test_ids_that_do_not_identify(ids: list[Any], told: list[str], folder: Folder) -> None:
    folder.table(id=ids)
    problems = folder.problems()
    assert len(problems) == len(told)
    assert all(part in problem for part, problem in zip(told, problems, strict=True))


def test_an_id_column_asked_for_must_exist(folder: Folder) -> None:
    folder.table(n=range(ROWS))
    folder.cache.mkdir()
    assert folder.problems(":id=sku") == ["dataset.yaml: id: attributes.parquet has no column 'sku'"]


def test_filters_that_fit_nothing_are_named_by_line(folder: Folder) -> None:
    folder.table(brand=every(str), note=every(str))
    folder.text("dataset.yaml", "metric: l2\ntext: [note]\n")
    folder.text("filters.jsonl", '{"brand": 3}\n{"brand": {"gt": 1}}\nbrand=3\n\n{"note": "1"}')
    assert [problem.split(": ", 2)[1:] for problem in folder.problems()] == [
        ["line 1", "'brand' is keyword, it cannot equal 3"],
        ["line 2", "'brand' is keyword, a range needs integer or float"],
        ["in 2 lines, the first line 3", "is not JSON (Expecting value); write {} for no filter"],
        ["line 5", "'note' is text: it is carried along, but cannot be filtered"],
    ]


def test_of_many_kinds_of_bad_lines_the_first_are_shown(folder: Folder) -> None:
    folder.array("queries", np.ones((500, DIM), np.float32))
    folder.text("filters.jsonl", "".join(f'{{"unknown{line % 50}": 1}}\n' for line in range(500)))
    problems = folder.problems()
    assert len(problems) == 21
    assert problems[0].startswith("filters.jsonl: in 10 lines, the first line 1: unknown column 'unknown0'")
    assert problems[-1] == "filters.jsonl: ... and 30 more kinds of mistakes"


def test_filters_need_queries(folder: Folder) -> None:
    (folder.path / "queries.npy").unlink()
    folder.text("filters.jsonl", "{}\n")
    assert folder.problems() == [
        "filters.jsonl: has one filter a query, so it needs queries.npy or queries.parquet beside it"
    ]


@pytest.mark.parametrize("count", [40, 41])
def test_not_all_rows_can_be_held_out(count: int, folder: Folder) -> None:
    (folder.path / "queries.npy").unlink()
    (problem,) = folder.problems(f":queries={count}")
    assert f"{count} of its 40 rows cannot be held out" in problem


def test_a_text_file_called_npy_is_told_apart(folder: Folder) -> None:
    folder.text("vectors.npy", "1.5,2.5\n3.5,4.5\n")
    (problem,) = folder.problems()
    assert problem.startswith(
        "vectors.npy: is no intact .npy file of numbers (the magic string is not correct"
    )
    assert problem.endswith("; write it with numpy.save")


def test_a_file_of_the_right_name_and_another_kind_is_not_passed_over(folder: Folder) -> None:
    folder.text("attributes.xls", "brand\n")
    folder.text("filters.json", "[]")
    with pytest.raises(ConfigurationError) as caught:
        folder.load()
    assert [problem.removeprefix(f"{folder.path}/") for problem in caught.value.problems] == [
        "attributes.xls: is not read; save it as attributes.parquet, or rename it",
        "filters.json: is not read; save it as filters.jsonl, or rename it",
    ]
    folder.table(price=range(ROWS))  # the source it was made from may stay
    (folder.path / "filters.json").unlink()
    assert folder.load().schema.fields[0].name == "price"
