"""Files that cannot be ingested are named, all of them, before anything is written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from harness.errors import ConfigurationError
from service.ingestion.files.finding import find
from tests.unit.service.ingestion.files.test_parquet import table
from tests.unit.service.ingestion.shop import SCHEMA

_REMEDY = "make it readable for this account"


def found(*paths: Path, operation: Any = "put", encodes: bool = False) -> list[Path]:
    sources = find(paths, SCHEMA, operation, encodes=encodes, say=lambda _: None)
    return [source.path for source in sources]


def problems(*paths: Path, operation: Any = "put") -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        found(*paths, operation=operation)
    return raised.value.problems


def test_a_folder_is_its_files_in_order_and_each_only_once(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    for name in ("b.jsonl", "a.NDJSON", "deep/c.ndjson", "_SUCCESS", ".d.ndjson", "notes.txt"):
        (tmp_path / name).touch()
    assert found(tmp_path, tmp_path / "deep" / ".." / "b.jsonl") == [
        tmp_path / name for name in ("a.NDJSON", "b.jsonl", "deep/c.ndjson")
    ]


def test_every_file_that_cannot_be_read_is_named_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").touch()
    (tmp_path / "none.parquet").touch()
    (tmp_path / "torn.parquet").write_bytes(b"PAR1" + b"\0" * 100)
    (tmp_path / "gone.ndjson").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe.ndjson")
    names = ("missing", "empty", "notes.txt", "none.parquet", "torn.parquet", "gone.ndjson", "pipe.ndjson")
    told = problems(*(tmp_path / name for name in names))
    assert len(told) == len(names)
    expected = {
        "missing": "no such file or folder",
        "empty": "holds no files",
        "notes.txt": "rename it",
        "none.parquet": "is no intact Parquet file",
        "torn.parquet": "is no intact Parquet file",
        "gone.ndjson": "no such file",
        "pipe.ndjson": "is a pipe or a device",
    }
    for name, text in expected.items():
        assert [line for line in told if line.startswith(f"{tmp_path / name}: ") and text in line], name


if os.geteuid() == 0:

    def test_a_file_of_another_account_is_named(tmp_path: Path) -> None:
        """Root may read everything: for this, it becomes nobody for a while."""
        path, closed = tmp_path / "a.ndjson", tmp_path / "closed"
        path.touch(0o600)
        (closed / "in").mkdir(parents=True)
        (closed / "in").chmod(0o700)
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
        os.seteuid(65534)
        try:
            told = problems(path, closed)
        finally:
            os.seteuid(0)
        assert sorted(told) == [
            f"{one}: cannot be read (Permission denied); {_REMEDY}" for one in (path, closed / "in")
        ]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"price": ["1.5"] * 10}, "column 'price' is of type string and must hold numbers; convert it"),
        ({"brand": [1] * 10}, "column 'brand' is of type int64 and must hold text"),
        ({"new": [1] * 10}, "column 'new' is of type int64 and must hold booleans"),
        (
            {"colours": ["red"] * 10},
            "column 'colours' is of type string and must hold lists of text; convert it",
        ),
        (
            {"colours": [[1]] * 10},
            "column 'colours' is of type list<element: int64> and must hold lists of text",
        ),
        ({"brand": [["COS"]] * 10}, "column 'brand' is of type list<element: string> and must hold text"),
        ({"vector": [1.0] * 10}, "column 'vector' is of type double and must hold vectors of 2 numbers"),
        ({"vector": pa.array([[1.0] * 3] * 10, pa.list_(pa.float32(), 3))}, "must hold vectors of 2 numbers"),
        ({"vector": [["1", "2"]] * 10}, "must hold vectors of 2 numbers"),
        ({"version": [1.5] * 10}, "column 'version' is of type double and must hold whole numbers"),
        ({"id": [1.5] * 10}, "column 'id' is of type double and must hold text or whole numbers"),
        ({"prise": [1.5] * 10}, "column 'prise' is no field of the catalogue (did you mean 'price'?)"),
        ({"brand": None}, "column 'brand' is missing; add it"),
        ({"vector": None}, "column 'vector' is missing; add it"),
    ],
)
def test_a_table_of_another_form_is_refused_whole(tmp_path: Path, changes: dict[str, Any], told: str) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(table(**changes), path)
    (problem,) = problems(path)
    assert problem.startswith(f"{path}: ")
    assert told in problem


def test_what_may_be_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(table(vector=None), path)
    assert found(path, encodes=True) == [path]
    pq.write_table(pa.table({"id": ["a"], "price": [1.0]}), path)
    assert found(path, operation="patch") == [path]
    assert "column 'price' is not taken by a removal" in problems(path, operation="remove")[0]
