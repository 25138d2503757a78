"""Bring your own data: what is understood, and that every fault is named with file, row and column."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.base import Keywords
from engines.filters import And, Eq, Range
from harness.data import arrays
from harness.data.catalogue import load_dataset
from harness.data.describe import describe
from harness.data.manifest import UserManifest
from harness.data.own.columns import read_table
from harness.errors import ConfigurationError
from tests.unit.data.user_data import DIM, QUERIES, ROWS, VECTORS, Folder, check_held_out, every

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


# --- what is understood


def test_float32_is_mapped_where_it_lies(folder: Folder) -> None:
    dataset = folder.load()
    assert (dataset.name, dataset.metric) == ("mine", "l2")
    np.testing.assert_array_equal(dataset.vectors, VECTORS)
    assert not list(folder.cache.rglob("*.npy"))


@pytest.mark.parametrize("kind", ["f2", "f8", ">f4", "F"])
def test_other_precisions_and_orders_are_converted(kind: str, folder: Folder) -> None:
    as_is = folder.load().fingerprint
    values = np.asfortranarray(VECTORS) if kind == "F" else VECTORS.astype(kind)
    folder.array("vectors", values)
    dataset = folder.load()
    assert dataset.vectors.dtype == np.float32 and dataset.vectors.flags.c_contiguous
    np.testing.assert_array_equal(dataset.vectors, values.astype(np.float32))
    assert (dataset.fingerprint == as_is) == (kind != "f2")  # half precision loses digits, the others none


def test_the_block_size_changes_nothing(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.array("vectors", VECTORS.astype(np.float64))
    at_once = folder.load().fingerprint
    monkeypatch.setattr(arrays, "BLOCK_BYTES", 3 * 4 * DIM)
    assert folder.load(":description=other").fingerprint == at_once


def test_columns_get_the_kind_of_their_type(folder: Folder) -> None:
    moment = datetime(2024, 5, 6, 7, 8, 9, 250_000, tzinfo=UTC)
    folder.table(
        brand=every(lambda row: ["Zoë", "A'b\"c"][row % 2]),
        dictionary=pa.array(every(lambda row: f"w{row % 3}")).dictionary_encode(),
        stock=pa.array(range(ROWS), pa.uint64()),
        price=every(lambda row: row / 7),
        new=every(lambda row: row % 2 == 0),
        at=pa.array(every(lambda _: moment), pa.timestamp("us", tz="UTC")),
        day=every(lambda _: date(1970, 1, 3)),
        note=every(lambda row: f"long text {row}"),
    )
    folder.text("dataset.yaml", "metric: ip\nname: shop\ndescription: Ours.\ntext: [note]\n")
    dataset = folder.load()
    assert [(a.name, a.kind, a.origin) for a in dataset.attributes] == [
        ("brand", "keyword", "real"),
        ("dictionary", "keyword", "real"),
        ("stock", "integer", "real"),
        ("price", "float", "real"),
        ("new", "boolean", "real"),
        ("at", "integer", "real"),
        ("day", "integer", "real"),
        ("note", "text", "real"),
    ]
    columns = dataset.columns
    assert isinstance(columns["brand"], Keywords) and columns["brand"].decode()[:2] == ["Zoë", "A'b\"c"]
    assert columns["brand"].vocabulary.tolist() == sorted(["Zoë", "A'b\"c"])
    assert columns["price"][1] == 1 / 7
    assert columns["at"][0] == round(moment.timestamp() * 1000)
    assert columns["day"][0] == 2 * 86_400_000
    assert dataset.name == "shop"
    assert dataset.description == "Ours. at in milliseconds since 1970. day in milliseconds since 1970."
    assert "nearly every value differs" not in describe(dataset)


def test_ids_are_kept_beside_the_rows(folder: Folder) -> None:
    folder.table(id=every(lambda row: f"sku-{row}"), n=range(ROWS))
    dataset = folder.load()
    assert dataset.ids is not None and dataset.ids[7] == "sku-7"
    assert [a.name for a in dataset.attributes] == ["n"]
    folder.table(sku=range(100, 100 + ROWS))
    dataset = folder.load(":id=sku")
    assert dataset.ids is not None and dataset.ids[7] == 107


def test_missing_values_are_filled(folder: Folder) -> None:
    folder.table(
        brand=pa.array(["a", None] * (ROWS // 2)).dictionary_encode(),
        price=[1.5, None, float("nan"), 2.0] * (ROWS // 4),
        new=[True, None] * (ROWS // 2),
        stock=pa.array([None, 3] * (ROWS // 2), pa.int8()),
    )
    folder.text("dataset.yaml", "metric: l2\nfill: {brand: unknown, price: -1, new: false, stock: 1000}\n")
    columns = folder.load().columns
    assert columns["brand"][:2].decode() == ["a", "unknown"]  # type: ignore[union-attr]
    assert columns["price"][:4].tolist() == [1.5, -1, -1, 2]  # type: ignore[union-attr]
    assert columns["new"][:2].tolist() == [True, False]  # type: ignore[union-attr]
    assert columns["stock"][:2].tolist() == [1000, 3]  # type: ignore[union-attr]


def test_filters_belong_to_the_queries_line_by_line(folder: Folder) -> None:
    folder.table(brand=every(lambda row: f"b{row % 2}"), price=every(float))
    lines = [{"brand": "b0"}, {}, None, {"brand": "\u2028", "price": {"lt": 3}}, {"price": {"gte": 1}}]
    folder.text("filters.jsonl", "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    assert folder.load().filters["filters"] == (
        Eq("brand", "b0"),
        None,
        None,
        And((Eq("brand", "\u2028"), Range("price", lt=3))),
        Range("price", gte=1),
    )


def test_without_queries_some_rows_are_held_out(folder: Folder) -> None:
    (folder.path / "queries.npy").unlink()
    folder.table(id=every(lambda row: f"i{row}"), row=range(ROWS))
    dataset = folder.load()
    check_held_out(dataset, ROWS // 10)
    check_held_out(folder.load(":queries=11"), 11)
    assert folder.load(":name=again").fingerprint == dataset.fingerprint


def test_the_folder_one_stands_in_has_its_name(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.path = folder.path.rename(folder.path.with_name("v1.2"))
    monkeypatch.chdir(folder.path)
    assert load_dataset(".", cache=folder.cache).name == "v1.2"
    assert load_dataset(".", cache=folder.cache).fingerprint == folder.load().fingerprint


def test_changed_files_are_read_again(folder: Folder) -> None:
    first = folder.load()
    folder.array("queries", VECTORS[: QUERIES + 1])
    assert len(folder.load().queries) == QUERIES + 1
    folder.array("queries", VECTORS[:QUERIES])
    assert folder.load().fingerprint == first.fingerprint


# --- what is wrong


def test_every_problem_is_told_at_once(folder: Folder) -> None:
    bad = VECTORS.copy()
    bad[3, 2], bad[9, 0], bad[9, 1] = np.nan, np.inf, -np.inf
    bad[11] = 0
    folder.array("vectors", bad)
    folder.array("queries", np.ones((QUERIES, DIM + 1)))
    folder.table(id=["a", "b", "a", *map(str, range(ROWS - 4))], price=[None] * 2 + [1.0] * (ROWS - 3))
    folder.text("filters.jsonl", '{"prise": 3}\n')
    folder.text("dataset.yaml", "metric: cosine\ntext: [nope]\n")
    problems = folder.problems()
    for told in (
        "vectors.npy: row 3 column 2 is nan, row 9 column 0 is inf (3 such values in 2 rows;",
        "vectors.npy: row 11 is a zero vector (1 in all)",
        f"queries.npy: has {DIM + 1} dimensions, but {folder.path}/vectors.npy has {DIM}",
        f"attributes.parquet: has {ROWS - 1} rows, but {folder.path}/vectors.npy has {ROWS}",
        "attributes.parquet: column 'id': ids occur twice: 'a' in rows 0 and 2 (1 in all)",
        "attributes.parquet: column 'price': 2 values are missing, the first in row 0",
        "dataset.yaml: text: attributes.parquet has no column 'nope' (it has: price)",
        f"filters.jsonl: has 1 lines, but there are {QUERIES} queries",
        "filters.jsonl: line 1: unknown column 'prise' (the dataset has: price)",
    ):
        assert any(problem.startswith(told) for problem in problems), (told, problems)
    assert len(problems) == 9


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.ones(7, np.float32), "must have 2 dimensions (items x numbers), its shape is (7,)"),
        (np.ones((0, 4), np.float32), "is empty, its shape is (0, 4)"),
        (np.ones((4, 0), np.float32), "is empty, its shape is (4, 0)"),
        (np.ones((4, 2), np.int64), "must be float32, float64 or float16, is int64; use astype('float32')"),
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


def test_conversion_is_bounded_by_the_block_not_by_the_file(folder: Folder) -> None:
    # In a process of its own: the peak of this one has other tests in it.
    folder.load()
    big = folder.path.with_name("big")
    folder.path.rename(big)
    np.save(big / "vectors.npy", np.ones((100_000, 256)))
    np.save(big / "queries.npy", np.ones((10, 256)))
    code = (
        "import resource, sys; from pathlib import Path; from harness.data.catalogue import load_dataset\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
        "load = lambda: load_dataset(sys.argv[1], cache=Path(sys.argv[2]))\n"
        "before = peak(); print(load().vectors.shape); print(peak() - before)"
    )
    arguments = [sys.executable, "-c", code, str(big), str(folder.cache)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True, cwd=ROOT)
    shape, grown = done.stdout.splitlines()
    assert shape == "(100000, 256)"
    assert int(grown) < 100_000 * 256 * 8 * 0.75


def test_what_is_missing_is_told(folder: Folder) -> None:
    folder.text("dataset.yaml", "")
    (folder.path / "vectors.npy").rename(folder.path / "vector.npy")
    held = "dataset.yaml, queries.npy, vector.npy"
    assert folder.problems() == [
        f"{folder.path}: vectors.npy is missing (the folder holds: {held})",
        "dataset.yaml: metric is missing; write 'metric: l2', ip or cosine there",
    ]


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ("metric: jaccard\n", "metric must be 'l2', 'ip' or 'cosine', got 'jaccard'"),
        ("metrik: l2\n", "metrik is not a known key"),
        ("metric: l2\nqueries: 3\n", "queries holds out rows, but"),
        ("metric: l2\nvectors: v\n", "vectors names a Parquet column"),
        ("metric: l2\nfill: {a: 1}\n", "fill and text are about columns, but there are none"),
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
        (pa.nulls(ROWS), None, "type null"),
        (pa.array([0] * 3 + [2**63] * (ROWS - 3), pa.uint64()), None, "row 3 exceeds 2^63 - 1"),
        (pa.array([1.0, float("inf")] * (ROWS // 2)), None, "row 1 is infinite"),
        (
            pa.array([1.0, float("nan")] * (ROWS // 2)),
            None,
            f"{ROWS // 2} values are missing, the first in row 1",
        ),
        (pa.array(["a", None] * (ROWS // 2)), None, f"{ROWS // 2} values are missing, the first in row 1"),
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
        ["line 3", "is not JSON (Expecting value); write {} for no filter"],
        ["line 4", "is not JSON (Expecting value); write {} for no filter"],
        ["line 5", "'note' is text: it is carried along, but cannot be filtered"],
    ]


def test_of_many_bad_lines_the_first_are_shown(folder: Folder) -> None:
    folder.array("queries", np.ones((500, DIM), np.float32))
    folder.text("filters.jsonl", "[]\n" * 500)
    problems = folder.problems()
    assert len(problems) == 21
    assert problems[-1] == "filters.jsonl: ... and 480 more"


def test_filters_need_queries(folder: Folder) -> None:
    (folder.path / "queries.npy").unlink()
    folder.text("filters.jsonl", "{}\n")
    assert folder.problems() == ["filters.jsonl: has one filter a query, so it needs queries.npy beside it"]


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
    folder.text("attributes.csv", "brand\n")
    folder.text("filters.json", "[]")
    with pytest.raises(ConfigurationError) as caught:
        folder.load()
    assert [problem.removeprefix(f"{folder.path}/") for problem in caught.value.problems] == [
        "attributes.csv: is not read; save it as attributes.parquet, or rename it",
        "filters.json: is not read; save it as filters.jsonl, or rename it",
    ]
    folder.table(price=range(ROWS))  # the source it was made from may stay
    (folder.path / "filters.json").unlink()
    assert folder.load().schema.fields[0].name == "price"


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=30))
def test_any_text_survives_as_a_keyword(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    path = tmp_path_factory.mktemp("words") / "a.parquet"
    pq.write_table(pa.table({"w": words}), path)
    table = read_table(path, UserManifest(), path)
    column = table.columns["w"]
    assert isinstance(column, Keywords)
    assert column.decode() == words
    assert column.vocabulary.tolist() == sorted(set(words))


def test_keys_of_the_manifest_may_follow_the_path(folder: Folder) -> None:
    folder.table(brand=["a", None] * (ROWS // 2), note=every(str))
    dataset = folder.load(":fill.brand=none,text=note,metric=ip")
    assert (dataset.metric, [a.kind for a in dataset.attributes]) == ("ip", ["keyword", "text"])
    assert dataset.columns["brand"][:2].decode() == ["a", "none"]  # type: ignore[union-attr]
    assert "metric.x" in folder_problem(folder, ":metric.x=ip")


def folder_problem(folder: Folder, changes: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        folder.load(changes)
    return str(caught.value)
