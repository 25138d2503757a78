"""The listings of a data set, as an empty catalogue begins with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engines.columns import Keywords, Nullable, Tags
from harness.data.dataset import Attribute, Dataset
from harness.progress import silent
from service.application.opening.loading import load
from service.application.planning.schema import schema_of
from service.catalogue.opening import open_store
from service.settings.model import CatalogueSettings

VECTORS = np.eye(3, dtype=np.float32)
DATA = Dataset(
    "made",
    "cosine",
    VECTORS,
    VECTORS,
    "f",
    (
        Attribute("colours", "tags", "real", optional=True),
        Attribute("size", "integer", "real", optional=True),
        Attribute("brand", "keyword", "real", optional=True),
        Attribute("story", "text", "real", optional=True),
    ),
    {
        "colours": Tags.encode([["red", "blue"], [], ["red"]]),
        "size": Nullable(np.array([38, 0, 0]), np.array([True, False, True])),
        "brand": Keywords.encode(["COS", "Arket", None]),
        "story": Keywords.encode([None, "a coat", ""]),
    },
)


def test_tags_and_missing_values_are_taken_over(tmp_path: Path) -> None:
    schema = schema_of(CatalogueSettings(brand="brand"), DATA, None, {}, engine_text=False)
    store = open_store(str(tmp_path / "catalogue.sqlite"), schema)
    told: list[str] = []
    load(store, DATA, silent, told.append)
    found = store.get(["0", "1", "2"])
    assert [sorted(found[key].attributes["colours"]) for key in "012"] == [["blue", "red"], [], ["red"]]  # type: ignore[arg-type]
    assert [found[key].attributes["size"] for key in "012"] == [38, None, 0]
    assert [found[key].brand for key in "012"] == ["COS", "Arket", None]
    assert [found[key].details for key in "012"] == [{}, {"story": "a coat"}, {"story": ""}]
    load(store, DATA, silent, told.append)
    assert told == [
        "the catalogue begins with the 3 listings of 'made'",
        "the catalogue holds 3 listings and stays as it is",
    ]
    store.close()
