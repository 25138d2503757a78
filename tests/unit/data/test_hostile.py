"""Users' files as other tools and other people write them: read, or refused with file, place and reason."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.filters import Range
from engines.values.shown import shown
from harness.data.catalogue import load_dataset
from harness.data.user.filters.lines import parse_line
from harness.errors import ConfigurationError
from tests.unit.data.user_data import QUERIES, ROWS, VECTORS, Folder, every


def nested(levels: int) -> str:
    line = '{"n": 1}'
    for level in range(levels):
        line = f'{{"not": {line}}}' if level % 2 else f'{{"or": [{line}, {{"n": 2}}]}}'
    return line


LINES = {
    "a bound twice": ('{"n": {"gte": 1, "gte": 2}}', "key 'gte' occurs twice"),
    "a column twice": ('{"n": {"gte": 1}, "n": {"lt": 3}}', "key 'n' occurs twice"),
    "a word twice": ('{"or": [{"n": 1}], "or": [{"n": 2}]}', "key 'or' occurs twice"),
    "twice, inside": ('{"not": {"n": 1, "n": 2}}', "key 'n' occurs twice"),
    "twice, escaped": ('{"n": 1, "\\u006e": 2}', "key 'n' occurs twice"),
    "deep": (nested(21), "nested more than 20 levels deep"),
    "deeper": (nested(300), "nested more than 20 levels deep"),
    "deep by several keys": ('{"n": 1, "not": ' * 11 + '{"n": 1}' + "}" * 11, "nested more than 20 levels deep"),
    "deepest": (nested(20_000), "nested too deeply"),
    "deep lists": ('{"n": ' + "[" * 3000 + "]" * 3000 + "}", ""),
    "half a character": ('{"brand": "x\\udc00"}', r"'brand': 'x\udc00' is no valid Unicode"),
    "half of two": ('{"brand": ["a", "\\ud83d"]}', "is no valid Unicode"),
    "half a character in a key": ('{"\\ud800": 1}', "is no valid Unicode"),
    "many digits": ('{"n": ' + "7" * 5000 + "}", "a number of 5,000 digits fits no column"),
    "many digits, negative": ('{"n": {"lt": -' + "7" * 5000 + "}}", "a number of 5,001 digits fits no column"),
    "400 digits": ('{"n": ' + "7" * 400 + "}", "must be compared with a finite number"),
    "huge exponent": ('{"n": {"gt": 1e999}}', "must be a finite number, got inf"),
    "not a number": ('{"n": NaN}', "must be compared with a finite number, got nan"),
    "beyond 64 bits": ('{"n": 9223372036854775808}', "it cannot equal 9223372036854775808"),
    "other characters that look alike": ('{"\u0067ro\u0308\u00dfe": 1}', "it is written 'gro\\u0308"),
    "many keys, one twice": ("{" + ", ".join(f'"k{key}": 1' for key in [*range(60_000), 59_999]) + "}", "key 'k59999'"),
    "endless text": ('{"n": "' + "x" * 100_000 + '"}', "it cannot equal"),
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_a_filter_line_that_cannot_mean_what_it_says_is_refused(folder: Folder, name: str) -> None:
    line, told = LINES[name]
    folder.table(
        n=every(lambda row: row), brand=every(lambda row: f"b{row % 3}"), größe=every(lambda row: row)
    )
    folder.text("filters.jsonl", "\n".join(["{}", line, *["{}"] * (QUERIES - 2)]))
    (problem,) = folder.problems()
    assert problem.startswith("filters.jsonl: line 2: ")
    assert told in problem
    assert len(problem) < 400


def test_the_correct_twins_are_read(folder: Folder) -> None:
    folder.table(n=every(lambda row: row), brand=every(lambda row: "😀" if row % 2 else "plain"))
    lines = [
        '{"n": {"gte": 10, "lt": 20}}',
        nested(20),
        '{"brand": "\\ud83d\\ude00"}',
        '{"n": 9223372036854775807}',
    ]
    folder.text("filters.jsonl", "\n".join([*lines, '{"and": [{"n": 1}, {"n": 1}]}']))
    filters = folder.load().filters["filters"]
    assert filters[0] == Range("n", gte=10, lt=20)
    assert filters[2] == parse_line(json.dumps({"brand": "😀"}))


@pytest.mark.parametrize(
    "text",
    ["\ufeff{}\n{}\n{}\n{}\n{}\n", "{}\r\n" * QUERIES, "null\n" * QUERIES, "{}\n" * (QUERIES - 1) + " {} \t"],
)
def test_filter_files_as_editors_write_them_are_read(folder: Folder, text: str) -> None:
    folder.text("filters.jsonl", text)
    assert folder.load().filters["filters"] == (None,) * QUERIES


@pytest.mark.parametrize(("text", "lines"), [("", 0), ("{}\n" * 4, 4), ("{}\n" * 6, 6), ("[]", 1)])
def test_filter_files_of_another_length_are_told(folder: Folder, text: str, lines: int) -> None:
    folder.text("filters.jsonl", text)
    told = f"filters.jsonl: has {lines} lines, but there are {QUERIES} queries; write a line a query"
    assert folder.problems()[0].startswith(told)


LENGTHS = {
    "1e16": (1e16, "row 7 has length 2e+16 (1 such rows; rows count from 0): from 1.1e+15 on"),
    "1e20": (1e20, "row 7 has length 2e+20"),
    "1e37": (1e37, "row 7 has length 2e+37"),
    "1e-30": (1e-30, "row 7 has length 2e-30 (1 such rows; rows count from 0): below 1.1e-19"),
    "denormal": (1e-44, "row 7 has length"),
}


def stored(folder: Folder, kind: str, vectors: Any, queries: Any, metric: str) -> tuple[str, str, str]:
    """Writes data in one of the formats; returns reference and how messages call vectors and queries."""
    if kind == "npy":
        folder.array("vectors", vectors)
        folder.array("queries", queries)
        folder.text("dataset.yaml", f"metric: {metric}\n")
        return str(folder.path), f"{folder.path}/vectors.npy", f"{folder.path}/queries.npy"
    path = folder.path.with_suffix(".parquet" if kind == "parquet" else ".hdf5")
    if kind == "parquet":
        pq.write_table(pa.table({"v": vectors.tolist()}), path)
        return f"{path}:metric={metric}", f"{path}: column 'v'", ""
    with h5py.File(path, "w") as file:
        file["train"], file["test"] = vectors, queries
        file.attrs["distance"] = {"l2": "euclidean", "cosine": "angular", "ip": "ip"}[metric]
    return str(path), f"{path}: 'train'", f"{path}: 'test'"


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
@pytest.mark.parametrize("kind", ["npy", "float64", "parquet", "hdf5"])
@pytest.mark.parametrize("name", LENGTHS)
def test_lengths_beyond_float32_are_named(folder: Folder, name: str, kind: str, metric: str) -> None:
    size, told = LENGTHS[name]
    dtype = np.float64 if kind == "float64" else np.float32
    kind = "npy" if kind == "float64" else kind
    vectors, queries = VECTORS.astype(dtype), np.tile(VECTORS, (1, 1))[: ROWS // 2].astype(dtype)
    for spoilt in (vectors, queries):
        spoilt[7] = size
    reference, items_label, queries_label = stored(folder, kind, vectors, queries, metric)
    with pytest.raises(ConfigurationError) as caught:
        load_dataset(reference, cache=folder.cache)
    labels = [items_label, queries_label] if queries_label else [items_label]
    assert len(caught.value.problems) == len(labels)
    for problem, label in zip(caught.value.problems, labels, strict=True):
        assert problem.startswith(f"{label}: {told}")


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
@pytest.mark.parametrize("size", [1e14, 1e-18])
def test_lengths_within_float32_are_taken(folder: Folder, size: float, metric: str) -> None:
    vectors = VECTORS.copy()
    vectors[7] = size
    reference, *_ = stored(folder, "npy", vectors, VECTORS[:5], metric)
    assert len(load_dataset(reference, cache=folder.cache).vectors) == ROWS


def attribute(tmp_path: Path, name: str, value: Any) -> Path:
    path = tmp_path / "data.hdf5"
    with h5py.File(path, "w") as file:
        file["train"], file["test"] = VECTORS, VECTORS[:5]
        file.attrs["distance"] = "euclidean"
        file.attrs[name] = value
    return path


@pytest.mark.parametrize(
    "value",
    ["euclidean", b"euclidean", ["euclidean"], [b"euclidean"], [["euclidean"]], np.bytes_("euclidean"),
     np.array([b"euclidean"], dtype="S20")],
)  # fmt: skip
def test_an_attribute_of_one_text_is_read_however_it_is_stored(tmp_path: Path, value: Any) -> None:
    assert load_dataset(str(attribute(tmp_path, "distance", value)), cache=tmp_path / "c").metric == "l2"


@pytest.mark.parametrize("name", ["distance", "type"])
@pytest.mark.parametrize(
    "value",
    [["euclidean", "angular"], [], np.empty((0,), "S3"), 7, [1.5, 2.5], h5py.Empty("f"), h5py.Empty("S10"), b"\xff\xfe",
     np.array([(1, 2)], dtype=[("a", "i4"), ("b", "i4")])],
)  # fmt: skip
def test_an_attribute_that_is_no_text_is_named(tmp_path: Path, name: str, value: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_dataset(str(attribute(tmp_path, name, value)), cache=tmp_path / "c")
    assert f"data.hdf5: its attribute '{name}' cannot be understood" in caught.value.problems[0]


def test_sparse_vectors_are_refused_however_it_is_said(tmp_path: Path) -> None:
    for value in ("sparse", [b"sparse"]):
        with pytest.raises(ConfigurationError, match="holds sparse vectors"):
            load_dataset(str(attribute(tmp_path, "type", value)), cache=tmp_path / "c")


@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.int32(), pa.uint64(),
                                  pa.dictionary(pa.int32(), pa.string())])  # fmt: skip
def test_ids_of_every_kind_of_text_and_integer_are_read(folder: Folder, kind: Any) -> None:
    text = not pa.types.is_integer(kind)
    values = every(lambda row: f"k{row}" if text else row + 5)
    folder.table(id=pa.array(values).cast(kind) if kind != pa.string_view() else pa.array(values, kind))
    ids = folder.load().ids
    assert ids is not None and ids.tolist() == values


@pytest.mark.parametrize("stray", ["dataset.yml", "dataset.json", "Dataset.yaml", "dataset.YAML", "attributes.xlsx",
                                   "Filters.jsonl"])  # fmt: skip
def test_a_file_of_nearly_the_right_name_is_not_passed_over(folder: Folder, stray: str) -> None:
    (folder.path / "dataset.yaml").unlink()
    folder.text(stray, "metric: l2\nfill: {a: 1}\n")
    for changes in ("", ":metric=l2"):
        (problem,) = folder.problems(changes)
        assert problem.startswith(f"{stray}: is not read; save it as ")


@pytest.mark.parametrize("stray", ["mine.yml", "mine.YAML", "Mine.yaml"])
def test_a_manifest_of_nearly_the_right_name_beside_a_file_is_not_passed_over(
    folder: Folder, stray: str
) -> None:
    path = folder.path.with_suffix(".parquet")
    pq.write_table(pa.table({"v": VECTORS.tolist()}), path)
    (path.parent / stray).write_text("metric: l2\n")
    with pytest.raises(ConfigurationError, match=f"{stray}: is not read; save it as mine.yaml"):
        load_dataset(f"{path}:metric=l2", cache=folder.cache)
    (path.parent / stray).rename(path.with_suffix(".yaml"))
    path.with_suffix(".csv").write_text("another export of the same data\n")
    assert load_dataset(str(path), cache=folder.cache).metric == "l2"


TOO_LARGE = ["rows=99999999999999,dim=4096", "rows=10,dim=999999999999999", "rows=10,clusters=99999999999999",
             "rows=10,queries=99999999999999", "rows=10,tags=99999999999999", f"rows={'9' * 300}"]  # fmt: skip


@pytest.mark.parametrize("changes", TOO_LARGE)
def test_synthetic_data_larger_than_the_machine_is_refused_with_figures(tmp_path: Path, changes: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_dataset(f"synthetic:{changes}", cache=tmp_path)
    assert all(" GiB free; ask for fewer rows" in problem for problem in caught.value.problems)
    assert not [entry for entry in tmp_path.iterdir() if entry.is_dir()]


@pytest.mark.parametrize("changes", ["spread=1e999", "spread=.inf", "rows=.nan", "correlation=.nan", "spread=1e30",
                                     "seed=-1", f"seed={'9' * 5000}", "rows=1;2", "metric=[l2", "dim=*x"])  # fmt: skip
def test_parameters_that_no_data_can_have_are_refused(tmp_path: Path, changes: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load_dataset(f"synthetic:{changes}", cache=tmp_path)
    assert all(len(problem) < 400 for problem in caught.value.problems)


@pytest.mark.parametrize("name", ["x" * 5000, "a\0b", "nobody:" + "y" * 5000 + "=1"])
def test_names_that_no_file_can_have_are_unknown_datasets(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="neither known"):
        load_dataset(name, cache=tmp_path)


def test_filters_that_are_no_text_are_named(folder: Folder) -> None:
    (folder.path / "filters.jsonl").write_bytes(b"\xff\xfe{}\n")
    (problem,) = folder.problems()
    assert problem.startswith("filters.jsonl: cannot be read (")


def test_values_too_large_to_show_are_told_by_their_kind() -> None:
    assert shown(10**5000) == "a value of type int that is too large to show"
    assert shown("x" * 500).endswith("xxx'") and "(502 characters)" in shown("x" * 500)
    assert shown("x\ud800") == "'x\\ud800'"


LISTS = {
    "list": pa.list_(pa.float32()),
    "large list": pa.large_list(pa.float64()),
    "fixed": pa.list_(pa.float32(), 4),
    "view": pa.list_view(pa.float32()),
    "large view": pa.large_list_view(pa.float64()),
}


@pytest.mark.parametrize("kind", [*LISTS, "tensor"])
def test_vectors_are_read_however_their_lists_are_stored(folder: Folder, kind: str) -> None:
    path = folder.path.with_suffix(".parquet")
    if kind == "tensor":
        column = pa.FixedShapeTensorArray.from_numpy_ndarray(VECTORS)
    else:
        column = pa.array(VECTORS.tolist(), LISTS[kind])
    pq.write_table(pa.table({"v": column}), path)
    dataset = load_dataset(f"{path}:metric=l2,queries=5", cache=folder.cache)
    read = {vector.tobytes() for vector in (*dataset.vectors, *dataset.queries)}
    assert read == {vector.tobytes() for vector in VECTORS}


def test_ids_may_be_uuids(folder: Folder) -> None:
    ids = [uuid.UUID(int=row + 1) for row in range(ROWS)]
    storage = pa.array([one.bytes for one in ids], pa.binary(16))
    folder.table(id=pa.ExtensionArray.from_storage(pa.uuid(), storage))
    read = folder.load().ids
    assert read is not None and read.tolist() == [str(one) for one in ids]


def test_a_column_whose_name_is_no_text_is_told(folder: Folder) -> None:
    folder.table(odd_name=every(lambda row: row))
    path = folder.path / "attributes.parquet"
    path.write_bytes(path.read_bytes().replace(b"odd_name", b"odd\xff\xfeame"))
    (problem,) = folder.problems()
    assert problem.startswith("attributes.parquet: the name of a column is not UTF-8")


def test_a_data_set_without_a_shape_is_told(tmp_path: Path) -> None:
    path = tmp_path / "data.hdf5"
    with h5py.File(path, "w") as file:
        file["train"], file["test"] = h5py.Empty("f"), VECTORS
    with pytest.raises(ConfigurationError, match=r"'train': must have 2 dimensions .*, its shape is \(\)"):
        load_dataset(f"{path}:metric=l2", cache=tmp_path / "c")


@pytest.mark.parametrize("name", ["filters.jsonl", "dataset.yaml"])
def test_pipes_and_devices_are_no_files_of_a_dataset(folder: Folder, name: str) -> None:
    (folder.path / name).unlink(missing_ok=True)
    (folder.path / name).symlink_to("/dev/zero")  # it has no end
    assert "is a pipe or a device, not a file" in folder.problems()[0]
