"""Tables of listings: every type that fits, rows that do not, and files that break in the middle."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from service.ingestion.files import parquet
from service.ingestion.files.finding import find
from service.ingestion.files.source import FileSource, Place, SourceError
from service.ingestion.record import Record
from service.writing.carrying import Wish
from tests.unit.service.ingestion.shop import SCHEMA, Shop

ROWS = 10
VECTORS = [[float(row), 1.0] for row in range(ROWS)]


def table(**changes: Any) -> pa.Table:
    columns: dict[str, Any] = {
        "id": [f"a{row}" for row in range(ROWS)],
        "brand": ["COS"] * ROWS,
        "price": [row / 2 for row in range(ROWS)],
        "vector": VECTORS,
    } | changes
    return pa.table({name: values for name, values in columns.items() if values is not None})


def written(folder: Path, content: pa.Table, **options: Any) -> FileSource:
    path = folder / "a.parquet"
    pq.write_table(content, path, **options)
    (file,) = find([path], SCHEMA, "put", encodes=False, say=pytest.fail)
    return file


BEGIN = Place()


def read(file: FileSource, place: Place = BEGIN) -> list[Record]:
    return [record for records, _ in file.read(place) for record in records]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"vector": pa.array(VECTORS, pa.list_(pa.float32(), 2)), "price": pa.array(range(ROWS), pa.int8())},
        {"vector": pa.array(VECTORS, pa.large_list(pa.float64())), "new": [None, True] * 5},
        {
            "brand": pa.array(["COS"] * ROWS).dictionary_encode(),
            "title": pa.array(["x"] * ROWS, pa.large_string()),
        },
        {"price": [Decimal("1.50")] * ROWS, "new": pa.nulls(ROWS)},
        {"version": pa.array([7] * ROWS, pa.uint32())},
        {"colours": [["red"], [], None, ["é", "red"], ["red"]] * 2, "size": [None, 1] * 5},
        {
            "colours": pa.array([["red", "red"]] * ROWS, pa.large_list(pa.large_string())),
            "size": pa.nulls(ROWS),
        },
        {"colours": pa.nulls(ROWS)},
    ],
)
def test_types_that_hold_the_same_values(tmp_path: Path, shop: Shop, changes: dict[str, Any]) -> None:
    shop.pipeline.take("file", read(written(tmp_path, table(**changes))))
    assert shop.figures.outcomes == {"written": ROWS}
    assert shop.catalogue.get(["a3"])["a3"].vector.tolist() == [3.0, 1.0]


def test_tags_and_what_is_null(tmp_path: Path, shop: Shop) -> None:
    colours = [["red", "blue", "red"], [], None, [None], ["red", "\0"], *[["red"]] * 5]
    file = written(tmp_path, table(colours=colours, size=[None, 3, *[1] * 8]))
    shop.pipeline.take("file", read(file))
    assert shop.figures.outcomes == {"written": ROWS - 2, "invalid": 2}
    assert shop.dead[0]["problems"] == [
        {"field": "colours", "detail": "in place 0: must be a string, got None"}
    ]
    found = shop.catalogue.get(["a0", "a1", "a2"])
    assert [found[key].attributes["colours"] for key in ("a0", "a1", "a2")] == [["red", "blue"], [], []]
    assert [found[key].attributes["size"] for key in ("a0", "a1", "a2")] == [None, 3, 1]


def test_an_id_that_is_a_number_is_written_as_text(tmp_path: Path, shop: Shop) -> None:
    shop.pipeline.take("file", read(written(tmp_path, table(id=list(range(ROWS))))))
    assert shop.catalogue.get(["3"]).keys() == {"3"}


def test_rows_that_are_wrong_are_kept_with_their_reasons(tmp_path: Path, shop: Shop) -> None:
    prices = [None, float("nan"), *[1.0] * 8]
    vectors = [VECTORS[0], VECTORS[0], None, [1.0], [None, 1.0], *VECTORS[5:]]
    file = written(tmp_path, table(price=prices, vector=vectors, id=[*"abcde", None, *"ghij"]))
    shop.pipeline.take("file", read(file))
    assert shop.figures.outcomes == {"written": 4, "invalid": 6}
    assert [one["row"] for one in shop.dead] == [1, 2, 3, 4, 5, 6]
    assert [one["problems"][0]["field"] for one in shop.dead] == ["price", "price", *["vector"] * 3, "id"]


def test_a_text_that_is_none_spoils_only_its_row(tmp_path: Path, shop: Shop) -> None:
    brands = pa.array([b"COS", b"\xff", *[b"COS"] * 8]).view(pa.string())
    shop.pipeline.take("file", read(written(tmp_path, table(brand=brands))))
    assert shop.figures.outcomes == {"written": ROWS - 1, "invalid": 1}
    assert shop.dead[0]["row"] == 2


@pytest.mark.parametrize("options", [{}, {"row_group_size": 4}])
def test_every_place_is_one_to_go_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    monkeypatch.setattr(parquet, "AT_ONCE", 3)
    file = written(tmp_path, table(vector=VECTORS), **options)
    everything = [record.place["row"] for record in read(file)]
    assert everything == list(range(1, ROWS + 1))
    for _, place in file.read(Place()):
        assert [record.place["row"] for record in read(file, place)] == everything[place.rows :]


def damaged(folder: Path) -> Path:
    """A file of five parts, of which one in the middle is overwritten."""
    rng = np.random.default_rng(0)
    titles = [rng.bytes(500).hex() for _ in range(ROWS)]
    path = folder / "a.parquet"
    pq.write_table(table(title=titles), path, row_group_size=2, compression="zstd", use_dictionary=False)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = bytes(400)
    path.write_bytes(content)
    return path


def test_a_file_that_is_damaged_in_the_middle_gives_what_comes_before(tmp_path: Path) -> None:
    (file,) = find([damaged(tmp_path)], SCHEMA, "put", encodes=False, say=pytest.fail)
    found: list[Record] = []
    with pytest.raises(SourceError, match=r"a\.parquet: cannot be read after row \d+ .* write the file anew"):
        for records, _ in file.read(BEGIN):
            found += records
    assert 2 <= len(found) < ROWS
    assert all(isinstance(record.wish, Wish) for record in found)
