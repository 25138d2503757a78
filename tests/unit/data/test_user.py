"""What is understood of a user's files."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engines.columns import Keywords
from engines.filters import And, Eq, Range
from harness.data.catalogue import load_dataset
from harness.data.describe import describe
from harness.data.manifest import UserManifest
from harness.data.stored import arrays
from harness.data.user.columns import read_columns
from harness.data.user.tables.parquet_files import parquet_table
from harness.errors import ConfigurationError
from tests.unit.data.user_data import DIM, QUERIES, ROWS, VECTORS, Folder, check_held_out, every

ROOT = Path(__file__).parents[3]


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


@settings(max_examples=40)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=30))
def test_any_text_survives_as_a_keyword(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    path = tmp_path_factory.mktemp("words") / "a.parquet"
    pq.write_table(pa.table({"w": words}), path)
    table = read_columns([parquet_table([path])], UserManifest(), path, None)
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
