"""Tags, and fields that listings may lack: read from documents, stored, and kept apart from older catalogues."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engines.base import Field, Schema
from engines.columns import Nullable, Tags
from harness.errors import ConfigurationError
from service.catalogue.export import write_items
from service.catalogue.listing import Fields, Patch, Put, Unchanged, Written
from service.catalogue.schema import CatalogueSchema, InvalidDocumentError
from service.indexing.batches import as_batch
from tests.unit.service.catalogue.conftest import Opener

FIELDS = (
    Field("colours", "tags"),
    Field("size", "keyword", optional=True),
    Field("price", "float", optional=True),
    Field("listed", "integer", optional=True),
    Field("brand", "keyword"),
)
SCHEMA = CatalogueSchema(Schema(2, "l2", FIELDS), brand="size", listed_at="listed", longest_keyword=9)
NOTHING: dict[str, Any] = {"colours": [], "size": None, "price": None, "listed": None}
VECTOR = np.ones(2, np.float32)


def read(document: dict[str, Any], *, partial: bool = False) -> dict[str, Any]:
    return dict(SCHEMA.read(document, partial=partial).attributes)


def problem(document: dict[str, Any]) -> str:
    with pytest.raises(InvalidDocumentError) as raised:
        SCHEMA.read(document, partial=True)
    (found,) = map(str, raised.value.problems)
    return found


def test_what_a_document_leaves_out_or_says_is_null_the_listing_has_not() -> None:
    assert read({"brand": "COS"}) == NOTHING | {"brand": "COS"}
    assert read({"brand": "COS", **dict.fromkeys(NOTHING)}) == NOTHING | {"brand": "COS"}
    assert read({"colours": ["red", "", "red"], "price": 3}, partial=True) == {
        "colours": ["red", ""],
        "price": 3.0,
    }
    assert read(dict.fromkeys(NOTHING), partial=True) == NOTHING
    filled = CatalogueSchema(SCHEMA.engine, {"size": "?"})
    assert filled.read({"brand": "COS"}).attributes["size"] == "?"
    assert filled.read({"brand": "COS", "size": None}).attributes["size"] is None


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({"colours": "red"}, 'colours: must be a list of strings such as ["red", "blue"], got \'red\''),
        ({"colours": {"red": 1}}, "colours: must be a list of strings"),
        ({"colours": ["red", 3]}, "colours: in place 1: must be a string, got 3"),
        ({"colours": ["red", None]}, "colours: in place 1: must be a string, got None"),
        ({"colours": ["x" * 10]}, "colours: in place 0: must have at most 9 characters, has 10"),
        ({"colours": ["a\0"]}, "colours: in place 0: holds a NUL"),
        ({"brand": None}, "brand: must be a string, got None"),
        ({"brand": ["COS"]}, "brand: must be a string"),
        ({"size": ["M"]}, "size: must be a string"),
        ({"price": ""}, "price: must be a number"),
    ],
)
def test_wrong_forms_are_told(document: dict[str, Any], told: str) -> None:
    assert problem(document).startswith(told)


def test_a_fill_of_tags_is_the_only_one() -> None:
    filled = CatalogueSchema(SCHEMA.engine, {"colours": "none"})
    assert filled.read({"brand": "COS"}).attributes["colours"] == ["none"]
    assert filled.read({"brand": "COS", "colours": []}).attributes["colours"] == []
    with pytest.raises(ConfigurationError, match="fill: 'colours' in place 0: must be a string, got 3"):
        CatalogueSchema(SCHEMA.engine, {"colours": 3})


def put(key: str, **attributes: Any) -> Put:
    return Put(key, Fields(read({"brand": "COS", **attributes}), {}, VECTOR))


WHOLE = {"colours": ["é", "red"], "size": "M", "price": 2.5, "listed": 7}


def test_they_are_stored_patched_and_taken_away(opened: Opener) -> None:
    store = opened(SCHEMA)
    store.write([put("none"), put("all", **WHOLE)])
    found = store.get(["none", "all"])
    assert found["none"].attributes == NOTHING | {"brand": "COS"}
    assert found["all"].attributes == WHOLE | {"brand": "COS"}
    assert (found["none"].brand, found["all"].brand) == (None, "M")
    assert found["all"].listed_at_ms == 7
    assert found["none"].listed_at_ms == found["none"].updated_at_ms
    taken = Patch("all", Fields(read(dict.fromkeys(NOTHING), partial=True)))
    assert store.write([taken, taken]) == [Written(1, 2, 3), Unchanged(1, 2, 3)]
    assert store.get(["all"])["all"].attributes == NOTHING | {"brand": "COS"}


def test_engines_are_given_them_in_columns(opened: Opener) -> None:
    store = opened(SCHEMA)
    store.write([put("none"), put("all", **WHOLE)])
    columns = as_batch(store.scan(), SCHEMA).attributes
    colours, prices = columns["colours"], columns["price"]
    assert isinstance(colours, Tags)
    assert isinstance(prices, Nullable)
    assert sorted(colours.decode()[1]) == ["red", "é"]
    assert (colours.decode()[0], prices.decode()) == ([], [None, 2.5])


def test_they_come_and_go_with_the_schema(opened: Opener) -> None:
    older = CatalogueSchema(Schema(2, "l2", (Field("brand", "keyword"), Field("price", "float"))))
    opened(older).write([Put("old", Fields({"brand": "COS", "price": 1.0}, {}, VECTOR))])
    # Listings may lack from now on what all of them had, and a field that they may lack may be new.
    grown = opened(SCHEMA)
    assert grown.get(["old"])["old"].attributes == NOTHING | {"brand": "COS", "price": 1.0}
    grown.write([put("none")])
    opened(
        CatalogueSchema(Schema(2, "l2", FIELDS[:1]))
    )  # what listings may lack is not forgotten with the field
    with pytest.raises(ConfigurationError, match="may have no value of 'price'; leave the field optional"):
        opened(older)
    assert opened(SCHEMA).count() == 2
    with pytest.raises(ConfigurationError, match="no field 'made'; give it a fill, or make it optional"):
        opened(CatalogueSchema(Schema(2, "l2", (*FIELDS, Field("made", "integer")))))


def test_an_export_holds_lists_and_nulls(opened: Opener, tmp_path: Path) -> None:
    store = opened(SCHEMA)
    store.write([put("none"), put("all", **WHOLE)])
    write_items(store.place, tmp_path / "items.parquet")
    table = pq.read_table(tmp_path / "items.parquet")
    assert table.schema.field("colours").type == pa.list_(pa.string())
    assert table["colours"].to_pylist() == [[], ["é", "red"]]
    assert table["price"].to_pylist() == [None, 2.5]
