"""What of the files is used: chosen columns, the index of a data frame, queries and filters beside a single file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.filters import Eq
from harness.data.catalogue import load_dataset
from harness.data.dataset import Dataset
from harness.errors import ConfigurationError
from tests.unit.data.user_data import QUERIES, ROWS, VECTORS, Folder, every


@pytest.fixture
def items(tmp_path: Path) -> Path:
    """A single Parquet file of vectors and a brand."""
    path = tmp_path / "mine" / "items.parquet"
    path.parent.mkdir()
    pq.write_table(pa.table({"v": VECTORS.tolist(), "brand": every(lambda row: f"b{row % 2}")}), path)
    return path


def load(path: Path, changes: str = ":metric=l2") -> Dataset:
    return load_dataset(f"{path}{changes}", cache=path.parent.parent / "cache")


def problems(path: Path, changes: str = ":metric=l2") -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(path, changes)
    return [problem.replace(f"{path.parent}/", "") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ("", ["a", "b", "c"]),
        (":columns=b", ["b"]),
        (":columns=c;a", ["a", "c"]),
        (":exclude=a;b", ["c"]),
        (":columns=a;b,exclude=a", ["b"]),
    ],
)
def test_columns_are_chosen_or_left_out(changes: str, names: list[str], folder: Folder) -> None:
    folder.table(id=every(str), a=range(ROWS), b=range(ROWS), c=range(ROWS))
    dataset = folder.load(changes)
    assert [a.name for a in dataset.attributes] == names
    assert dataset.ids is not None


def test_what_is_left_out_need_not_be_understood(folder: Folder) -> None:
    folder.table(a=range(ROWS), b=every(lambda row: {"x": row}), **{"and": range(ROWS)})
    folder.text("dataset.yaml", "metric: l2\nexclude: [b, and]\n")
    assert [a.name for a in folder.load().attributes] == ["a"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (":columns=z", "dataset.yaml: columns: attributes.parquet has no column 'z' (it has: a, b)"),
        (":exclude=z", "dataset.yaml: exclude: attributes.parquet has no column 'z' (it has: a, b)"),
        (":columns=a,text=b", "dataset.yaml: text: attributes.parquet has no column 'b' (it has: a)"),
    ],
)
def test_columns_chosen_must_exist(changes: str, told: str, folder: Folder) -> None:
    folder.table(a=range(ROWS), b=every(str))
    assert folder.problems(changes) == [told]


@pytest.mark.parametrize(
    ("index", "ids", "note"),
    [
        (pd.Index([f"s{row}" for row in range(ROWS)], name="sku"), "s0", "the ids are the index of its data frame"),
        (pd.Index([100 + row * row for row in range(ROWS)]), 100, "the ids are the index of its data frame ('__i"),
        (pd.Index(["x"] * ROWS, name="shop"), None, "not used: items.parquet: the index of its data frame ('shop')"),
        (pd.Index(np.linspace(0, 1, ROWS), name="x"), None, "not used: items.parquet: the index of its"),
        (pd.RangeIndex(ROWS), None, ""),
    ],
)  # fmt: skip
def test_an_index_becomes_ids_or_is_left_out(index: Any, ids: object, note: str, items: Path) -> None:
    pd.DataFrame({"v": VECTORS.tolist(), "n": range(ROWS)}, index=index).to_parquet(items)
    np.save(items.parent / "q.npy", VECTORS[:QUERIES])
    dataset = load(items, ":metric=l2,queries=q.npy")
    assert [a.name for a in dataset.attributes] == ["n"]
    assert (None if dataset.ids is None else dataset.ids[0]) == ids
    assert note in dataset.description


def test_ids_win_over_an_index(items: Path) -> None:
    frame = pd.DataFrame({"v": VECTORS.tolist(), "id": range(ROWS)}, index=[f"s{row}" for row in range(ROWS)])
    frame.to_parquet(items)
    dataset = load(items)
    assert dataset.ids is not None and isinstance(dataset.ids[0], int)
    assert not dataset.attributes


def queries(items: Path, **columns: Any) -> None:
    pq.write_table(pa.table({"v": VECTORS[:QUERIES].tolist(), **columns}), items.parent / "queries.parquet")


FILTERS = ['{"brand": "b1"}', "{}", None, "null", '{"brand": "b0"}']


def test_queries_and_their_filters_beside_a_single_file(items: Path) -> None:
    queries(items, filter=FILTERS, day=[1] * QUERIES)
    dataset = load(items)
    assert len(dataset.vectors) == ROWS
    np.testing.assert_array_equal(dataset.queries, VECTORS[:QUERIES])
    assert dataset.filters["filters"] == (Eq("brand", "b1"), None, None, None, Eq("brand", "b0"))
    assert dataset.description == "not used: queries.parquet: day."
    assert not load(items, ":metric=l2,queries=4").filters  # rows held out are asked for instead


def test_lines_of_filters_beside_a_single_file(items: Path) -> None:
    lines = items.parent / "filters.jsonl"
    lines.write_text("{}\n" * (QUERIES - 1) + '{"brand": "b1"}\n')
    assert not load(items).filters  # rows drawn at random have no filters
    queries(items)
    assert load(items).filters["filters"][-1] == Eq("brand", "b1")
    queries(items, filter=FILTERS)
    (problem,) = problems(items)
    assert problem == "filters.jsonl: queries.parquet: column 'filter' holds filters, too; remove one of them"


@pytest.mark.parametrize(
    ("filters", "told"),
    [
        ([{"brand": "b1"}] * QUERIES, "queries.parquet: column 'filter': must hold each query's filter as JSON"),
        (['{"brand": 1}', *["{}"] * 4], "queries.parquet: column 'filter': row 0: 'brand' is keyword, it cannot"),
        (["{}"] * 4 + ["brand"], "queries.parquet: column 'filter': row 4: is not JSON (Expecting value); write"),
        (["{'brand': 'b1'}"] * 5, "queries.parquet: column 'filter': in 5 rows, the first row 0: is not JSON"),
    ],
)  # fmt: skip
def test_filters_of_another_form_are_named_by_row(filters: list[Any], told: str, items: Path) -> None:
    queries(items, filter=filters)
    (problem,) = problems(items)
    assert problem.startswith(told)


def test_other_columns_of_vectors_are_named(items: Path) -> None:
    pq.write_table(pa.table({"title": VECTORS.tolist(), "image": VECTORS.tolist(), "n": range(ROWS)}), items)
    dataset = load(items, ":metric=l2,vectors=image")
    assert [a.name for a in dataset.attributes] == ["n"]
    assert "not used: column 'title', which holds vectors, too." in dataset.description


def test_files_and_data_sets_that_are_not_used_are_named(folder: Folder, tmp_path: Path) -> None:
    before = folder.load().fingerprint
    for name in ("README.md", "neighbors.npy", ".hidden"):
        folder.text(name, "x")
    (folder.path / "raw").mkdir()
    dataset = folder.load()
    assert dataset.description == "not used: README.md, neighbors.npy, raw/."
    assert dataset.fingerprint == before
    for number in range(20):
        folder.text(f"more-{number:02}.txt", "x")
    assert "more-08.txt and 13 more." in folder.load().description
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file.attrs["distance"] = "euclidean"
        file["train"], file["test"], file["neighbors"] = VECTORS, VECTORS[:3], np.zeros((3, 2), int)
    assert load_dataset(str(tmp_path / "x.hdf5"), cache=folder.cache).description == "not used: neighbors."


def test_queries_are_in_the_column_that_is_called_as_that_of_the_items(items: Path) -> None:
    table = pa.table({"u": (-VECTORS).tolist(), "v": VECTORS.tolist()})
    pq.write_table(table, items)
    queries(items, u=(-VECTORS[:QUERIES]).tolist())
    for column, sign in (("u", -1), ("v", 1)):
        dataset = load(items, f":metric=l2,vectors={column}")
        np.testing.assert_array_equal(dataset.vectors, VECTORS * sign)
        np.testing.assert_array_equal(dataset.queries, VECTORS[:QUERIES] * sign)
    problem, _ = problems(items)
    assert problem.startswith(
        "items.parquet: several columns hold vectors (u, v); name one, as in ':vectors=u'"
    )
    queries(items)  # and where there is one column only, it is that
    np.testing.assert_array_equal(load(items, ":metric=l2,vectors=u").queries, VECTORS[:QUERIES])


def test_arrays_of_an_archive_that_are_not_used_are_named(items: Path) -> None:
    archive = items.with_name("x.npz")
    np.savez(archive, train=VECTORS, labels=range(3))
    assert load(archive, ":metric=l2,queries=4").description.startswith("not used: labels of x.npz.")
    np.savez(archive, train=VECTORS)
    assert "not used" not in load(archive, ":metric=l2,queries=4").description
