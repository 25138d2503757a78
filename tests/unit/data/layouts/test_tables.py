"""Attributes as CSV and JSON lines: what is understood, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.columns import decoded
from harness.errors import ConfigurationError
from tests.unit.data.user_data import ROWS, VECTORS, Folder

KINDS = [("sku", "keyword"), ("stock", "integer"), ("price", "float"), ("new", "boolean"), ("day", "integer")]
CELLS: dict[str, Any] = {"sku": "NA", "stock": 3, "price": 1.5, "new": True, "day": "2024-05-06"}
GAPS: dict[str, Any] = dict.fromkeys(CELLS)
DAY = 1_714_953_600_000


def delimited(separator: str, mark: str = "", ends: str = "\n") -> str:
    rows = [CELLS | {"id": f"00{row}"} if row % 2 else GAPS | {"id": f"00{row}"} for row in range(ROWS)]
    cells = [
        [*rows[0]],
        *(
            [
                ("" if value is None else str(value).lower() if value is True else str(value))
                for value in row.values()
            ]
            for row in rows
        ),
    ]
    return mark + "".join(separator.join(line) + ends for line in cells)


def lines() -> str:
    rows = [(CELLS if row % 2 else {}) | {"id": f"00{row}"} for row in range(ROWS)]
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("attributes.csv", delimited(",")),
        ("attributes.csv", delimited(";", mark="\ufeff", ends="\r\n")),
        ("attributes.tsv", delimited("\t")),
        ("attributes.jsonl", lines()),
        ("attributes.ndjson", lines()),
    ],
)
def test_types_are_inferred_and_gaps_kept(name: str, text: str, folder: Folder) -> None:
    (folder.path / name).write_bytes(text.encode())
    dataset = folder.load()
    assert [(a.name, a.kind) for a in dataset.attributes] == KINDS
    assert all(attribute.optional for attribute in dataset.attributes)
    held = {name: decoded(dataset.columns[name])[:2] for name, _ in KINDS}
    assert held == {name: [None, DAY if name == "day" else value] for name, value in CELLS.items()}
    assert dataset.ids is not None and dataset.ids[:2].tolist() == ["000", "001"]
    assert dataset.description == "day in milliseconds since 1970."


@pytest.mark.parametrize("text", [str(2**63), f"-{2**64}", "9" * 25])
@pytest.mark.parametrize(
    ("name", "form"), [("attributes.csv", "{}\n"), ("attributes.jsonl", '{{"n": {}}}\n')]
)
def test_integers_beyond_64_bits_are_not_rounded(text: str, name: str, form: str, folder: Folder) -> None:
    def write(value: str) -> None:
        lines = [value if row == 1 else "1" for row in range(ROWS)]
        folder.text(name, ("n\n" if name.endswith("csv") else "") + "".join(map(form.format, lines)))

    write(text)
    (problem,) = folder.problems()
    told = (
        f"{name}: column 'n': row 1 holds an integer beyond 64 bits, {text}, and all values would be rounded;"
    )
    assert problem.startswith(told)
    assert folder.load(":exclude=n").attributes == ()
    for value, read in (
        ("1e30", 1e30),
        (str(2**63 - 1), 2**63 - 1),
    ):  # a float that is written as one, and what fits
        write(value)
        assert decoded(folder.load().columns["n"])[:2] == [1, read]


def test_parquet_is_preferred_to_what_it_was_made_from(folder: Folder) -> None:
    folder.table(n=range(ROWS))
    folder.text("attributes.csv", "other\n1\n")
    dataset = folder.load()
    assert [a.name for a in dataset.attributes] == ["n"]
    assert dataset.description == "not used: attributes.csv."


def test_lists_in_json_lines_are_tags(folder: Folder) -> None:
    folder.text(
        "attributes.jsonl", "".join(json.dumps({"t": ["a", "b"][: row % 3]}) + "\n" for row in range(ROWS))
    )
    dataset = folder.load()
    assert dataset.attributes[0].kind == "tags"
    assert decoded(dataset.columns["t"])[:3] == [[], ["a"], ["a", "b"]]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("attributes.csv", "", "attributes.csv: cannot be understood (Empty CSV file); write it as CSV with the names"),
        ("attributes.csv", "a,b\n1\n", "attributes.csv: cannot be understood (CSV parse error: Expected 2 columns"),
        ("attributes.csv", "a,a\n" + "1,2\n" * ROWS, "attributes.csv: column 'a' occurs more than once; rename"),
        ("attributes.csv", "a\n" + "\udcff\n" * ROWS, "attributes.csv: column 'a' is not UTF-8 text; save the file"),
        ("attributes.csv", "a\n1\n", "attributes.csv: has 1 rows, but "),
        ("attributes.csv", "id,a\n" + "x,1\n" * ROWS, "attributes.csv: column 'id': ids occur twice: 'x' in rows"),
        ("attributes.jsonl", "", "attributes.jsonl: cannot be understood (Empty JSON file); write it as JSON lines"),
        ("attributes.jsonl", '{"a": 1}\n{"a": "x"}\n', "attributes.jsonl: cannot be understood (JSON parse error: Col"),
        ("attributes.jsonl", '[{"a": 1}]', "attributes.jsonl: cannot be understood (JSON parse error"),
        ("attributes.jsonl", '{"a": 1}\n{"a":', "attributes.jsonl: cannot be understood (JSON parse error"),
        ("attributes.jsonl", '{"a": {"b": 1}}\n' * ROWS, "attributes.jsonl: column 'a': type struct<b: int64> is not"),
        ("attributes.xlsx", "", "attributes.xlsx: is not read; save it as attributes.parquet, or rename it"),
    ],
)  # fmt: skip
def test_tables_that_cannot_be_understood(name: str, text: str, told: str, folder: Folder) -> None:
    (folder.path / name).write_bytes(text.encode("utf-8", "surrogateescape"))
    (problem,) = folder.problems()
    assert problem.startswith(told)


def test_attributes_follow_parquet_vectors_by_id_or_by_row(folder: Folder) -> None:
    (folder.path / "vectors.npy").unlink()
    ids = np.random.default_rng(0).permutation(ROWS)
    vectors = folder.path / "vectors.parquet"
    pq.write_table(pa.table({"id": ids, "v": VECTORS.tolist(), "n": range(ROWS)}), vectors)
    folder.text("attributes.csv", "id,twice\n" + "".join(f"{row},{2 * row}\n" for row in range(ROWS + 5)))
    dataset = folder.load()
    assert [a.name for a in dataset.attributes] == ["n", "twice"]
    np.testing.assert_array_equal(dataset.columns["twice"], 2 * ids)
    assert "not used: 5 rows of attributes.csv, whose ids are no items'." in dataset.description
    folder.text("attributes.csv", "twice\n" + "".join(f"{2 * row}\n" for row in range(ROWS)))
    by_row = folder.load()
    np.testing.assert_array_equal(by_row.columns["twice"], 2 * np.arange(ROWS))
    told = (
        "attributes.csv: row i belongs to row i of vectors.parquet, for only one of them has a column 'id'."
    )
    assert told in by_row.description
    assert told not in dataset.description


BOTH = "id,n\n" + "".join(f"{row},1\n" for row in range(ROWS))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,a\n1,1\n", "attributes.csv: has no row for 39 ids of "),
        (BOTH, "vectors.parquet and attributes.csv: both have a column 'n'"),
        ("a\n1\n", "attributes.csv: has 1 rows, but "),
    ],
)  # fmt: skip
def test_attributes_that_do_not_belong_to_the_vectors(text: str, told: str, folder: Folder) -> None:
    (folder.path / "vectors.npy").unlink()
    pq.write_table(
        pa.table({"id": range(ROWS), "v": VECTORS.tolist(), "n": range(ROWS)}),
        folder.path / "vectors.parquet",
    )
    folder.text("attributes.csv", text)
    (problem,) = folder.problems()
    assert problem.startswith(told)


def test_parts_of_a_table_agree_on_a_type(folder: Folder) -> None:
    half = ROWS // 2
    folder.text("attributes-0.csv", "n,w\n" + "1,\n" * half)
    folder.text("attributes-1.csv", "w,n\n" + "a,2.5\n" * half)
    dataset = folder.load()
    assert decoded(dataset.columns["n"]) == [1.0] * half + [2.5] * half
    assert decoded(dataset.columns["w"]) == [None] * half + ["a"] * half
    folder.text("attributes-1.csv", "n,w\n" + "x,a\n" * half)
    with pytest.raises(
        ConfigurationError, match=r"attributes-0\.csv to attributes-1\.csv \(2 files\): their columns"
    ):
        folder.load()


def test_separators_inside_cells_do_not_count(folder: Folder) -> None:
    folder.text("attributes.csv", "a;b\n" + '"x, y, z";"two\nlines"\n' * ROWS)
    assert [decoded(folder.load().columns[name])[0] for name in "ab"] == ["x, y, z", "two\nlines"]
