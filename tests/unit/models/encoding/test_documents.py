"""Listings as documents have the vectors that they have as rows of a file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.errors import ConfigurationError
from models.encoding.documents import ListingTower
from models.encoding.files.listing_files import encode_listings
from models.encoding.model import Model
from tests.unit.models.encoding.folders import listing_columns, listing_file, write_model
from tests.unit.models.features.catalogues import catalogue


def documents() -> list[dict[str, object]]:
    columns = listing_columns()
    names = [name for name in columns if name != "item_id"]
    rows = len(columns["item_id"])
    values = {name: getattr(columns[name], "to_pylist", lambda name=name: columns[name])() for name in names}
    return [{name: values[name][row] for name in names} for row in range(rows)]


def test_as_from_a_file(tmp_path: Path) -> None:
    model = Model.load(write_model(tmp_path / "model"))
    ids, encoded = encode_listings(model, listing_file(tmp_path / "items.parquet"))
    wanted = model.encoder.indexed(encoded.vectors, encoded.ids)
    tower = ListingTower(model, {})
    found = tower.vectors([str(one) for one in ids], documents())
    np.testing.assert_allclose(found, wanted, rtol=1e-5, atol=1e-6)
    alone = tower.vectors([str(ids[3])], [documents()[3]])
    np.testing.assert_allclose(alone[0], wanted[3], rtol=1e-5, atol=1e-6)


def test_what_fills_a_gap_is_not_known(tmp_path: Path) -> None:
    model = Model.load(write_model(tmp_path / "model"))
    number = next(iter(model.encoder.features.numbers))
    document = {name: value for name, value in documents()[0].items() if name != number}
    filled = {**document, number: -1.0}
    (without,) = ListingTower(model, {}).vectors(["x"], [document])
    (with_gap,) = ListingTower(model, {number: -1.0}).vectors(["x"], [filled])
    (as_number,) = ListingTower(model, {}).vectors(["x"], [filled])
    np.testing.assert_array_equal(with_gap, without)
    assert not np.allclose(as_number, without)


def test_columns_are_those_that_are_read(tmp_path: Path) -> None:
    tower = ListingTower(Model.load(write_model(tmp_path / "model")), {})
    items = catalogue()
    assert tower.columns == {*items.categories, *items.numbers, *items.texts}
    assert tower.label.startswith("made@")


def test_a_vector_that_is_not_finite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = Model.load(write_model(tmp_path / "model"))
    monkeypatch.setattr(
        type(model.encoder), "indexed", lambda _self, vectors, _ids: np.full_like(vectors, np.nan)
    )
    with pytest.raises(ConfigurationError, match="the vector of listing 'x'"):
        ListingTower(model, {}).vectors(["x"], [{}])
