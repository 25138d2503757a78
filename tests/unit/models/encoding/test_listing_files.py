"""Listings of files and of a model's dataset."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from harness.errors import ConfigurationError
from models.encoding.encoder import Encoder
from models.encoding.files import listing_files
from models.encoding.files.listing_files import encode_listings, published_listings, read_listings
from models.encoding.model import Model
from tests.unit.models.encoding.folders import first, listing_file, publish, write_model
from tests.unit.models.encoding.made import DIM, encoder
from tests.unit.models.features.catalogues import catalogue, taken


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model.load(write_model(tmp_path / "made"))


def test_a_file_is_encoded_as_the_catalogue_in_it(model: Model, tmp_path: Path) -> None:
    ids, encoded = encode_listings(model, listing_file(tmp_path / "new.parquet"))
    expected = model.encoder.listings(catalogue())
    assert ids.tolist() == catalogue().ids.tolist()
    np.testing.assert_array_equal(encoded.vectors, expected.vectors)
    assert (encoded.ids == 0).tolist() == (taken() == 0).tolist()
    assert (encoded.missing, encoded.unknown, encoded.ignored) == (expected.missing, expected.unknown, ())


def test_parts_are_put_together(model: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = listing_file(tmp_path / "new.parquet", size=["unheard of"] * 60)
    whole = encode_listings(model, path)[1]
    monkeypatch.setattr(listing_files, "_CHUNK", 7)
    parts = encode_listings(model, path)[1]
    np.testing.assert_allclose(parts.vectors, whole.vectors, atol=1e-6)
    assert parts.ids.tolist() == whole.ids.tolist()
    assert parts.missing == whole.missing
    assert parts.unknown == whole.unknown
    assert whole.unknown["size"] == 60


@pytest.mark.parametrize(
    ("changes", "missing", "unknown"),
    [
        ({"title": pa.nulls(60), "description": [""] * 60}, {"title + description": 60}, {}),
        ({"title": [np.nan] * 60, "description": pa.nulls(60, pa.string())}, {"title + description": 60}, {}),
        ({"colour": ["puce"] * 60}, {"colour": 0}, {"colour": 60}),  # constant, and never heard of
        ({"colour": pa.nulls(60), "price": pa.nulls(60)}, {"colour": 60, "price": 60}, {"colour": 0}),
        ({"price": [3] * 60, "year": ["2015"] * 60}, {"price": 0, "year": 0}, {}),
    ],
)
def test_columns_without_values_constant_or_unknown_ones_are_counted(
    changes: dict[str, Any], missing: dict[str, int], unknown: dict[str, int], model: Model, tmp_path: Path
) -> None:
    encoded = encode_listings(model, listing_file(tmp_path / "new.parquet", **changes))[1]
    assert np.isfinite(encoded.vectors).all()
    np.testing.assert_allclose(np.linalg.norm(encoded.vectors, axis=1), 1, atol=1e-5)
    assert {name: encoded.missing[name] for name in missing} == missing
    assert {name: encoded.unknown[name] for name in unknown} == unknown


def test_one_listing_is_a_catalogue(model: Model, tmp_path: Path) -> None:
    ids, encoded = encode_listings(model, listing_file(tmp_path / "one.parquet", **first(1)))
    assert ids.tolist() == ["item-0"]
    np.testing.assert_allclose(encoded.vectors, model.encoder.listings(catalogue()).vectors[:1], atol=1e-6)


def test_other_columns_are_named_and_not_read(tmp_path: Path) -> None:
    model = Model.load(write_model(tmp_path / "made", items={"listed": "since"}))
    path = listing_file(tmp_path / "new.parquet", tags=[["a"]] * 60, since=["never"] * 60)
    items, ignored = read_listings(path, model.items)
    assert ignored == ("tags",)  # `since` is known, and no model reads it
    assert len(items) == 60


def test_every_problem_of_a_file_is_named_at_once(model: Model, tmp_path: Path) -> None:
    path = listing_file(
        tmp_path / "new.parquet",
        item_id=["a", "a", None, *(f"i{row}" for row in range(57))],
        colour=None,
        title=list(range(60)),
        price=[date(2026, 1, 1)] * 60,
        year=["old", *["2015"] * 59],
        size=[["S"]] * 60,
    )
    with pytest.raises(ConfigurationError) as caught:
        encode_listings(model, path)
    told = "\n".join(caught.value.problems)
    assert len(caught.value.problems) == 7
    for message in (
        f"{path}: has no column 'colour'; the model reads it: add it, empty where nothing is known (it has: item_id",
        "column 'item_id': row 2 has no id (1 in all)",
        "column 'item_id': ids occur twice: 'a' in rows 0 and 1",
        "column 'title': holds integers, only strings can be text; store strings",
        "column 'price': holds times, which are no numbers; store numbers",
        "column 'year': row 0 holds 'old', which is no finite number; repair it",
        "column 'size': values of type list<element: string> cannot be a category; store others",
    ):
        assert message in told


def test_a_file_without_ids_or_rows_is_refused(model: Model, tmp_path: Path) -> None:
    with pytest.raises(
        ConfigurationError, match="has no column 'item_id'; the model's training had the ids there"
    ):
        encode_listings(model, listing_file(tmp_path / "a.parquet", item_id=None))
    with pytest.raises(ConfigurationError, match="holds no items"):
        encode_listings(model, listing_file(tmp_path / "b.parquet", **first(0)))
    with pytest.raises(ConfigurationError, match="no such file"):
        encode_listings(model, tmp_path / "c.parquet")


def test_ids_of_another_type_than_the_model_s_are_refused(model: Model, tmp_path: Path) -> None:
    path = listing_file(tmp_path / "new.parquet", item_id=list(range(60)))
    with pytest.raises(ConfigurationError) as caught:
        encode_listings(model, path)
    assert str(caught.value).startswith(
        f"{path}: items: ids are integers, such as 0, and the model knows strings"
    )


def _scaled(factor: float) -> Encoder:
    made = encoder()
    listing = made.weights.listing
    huge = replace(listing.residual, outer=listing.residual.outer * np.float32(factor))
    return Encoder(made.features, replace(made.weights, listing=replace(listing, residual=huge)))


def test_a_vector_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    path = listing_file(tmp_path / "new.parquet")
    encode_listings(Model.load(write_model(tmp_path / "sound", _scaled(2.0))), path)
    with pytest.raises(ConfigurationError) as caught:
        encode_listings(Model.load(write_model(tmp_path / "huge", _scaled(1e37))), path)
    assert "huge: the vector of listing 'item-0' is zero or not finite (60 of 60 are)" in str(caught.value)


@pytest.mark.parametrize("weight", [0.4, 0.0])
def test_what_a_model_published_has_the_vectors_that_histories_need(weight: float, tmp_path: Path) -> None:
    model = Model.load(write_model(tmp_path / "made", encoder(weight)))
    publish(model, catalogue())
    found = published_listings(model)
    assert found.ids.tolist() == catalogue().ids.tolist()
    assert found.vectors.shape == (60, DIM)
    np.testing.assert_allclose(found.vectors, model.encoder.listings(catalogue()).vectors, atol=1e-6)


def test_the_dataset_of_another_model_is_refused_and_both_are_named(model: Model, tmp_path: Path) -> None:
    other = Model.load(write_model(tmp_path / "other", encoder(weight=0.5)))
    publish(other, catalogue())
    shutil.copytree(other.folder / "dataset", model.folder / "dataset")
    with pytest.raises(ConfigurationError) as caught:
        published_listings(model)
    assert f"by {other.identity.label}, those of users would be by {model.identity.label}" in str(
        caught.value
    )


def test_a_damaged_or_missing_dataset_is_refused(model: Model) -> None:
    folder = model.folder / "dataset"
    with pytest.raises(ConfigurationError, match="holds no dataset; name the listings of the histories"):
        published_listings(model)
    publish(model, catalogue())
    vectors = np.load(folder / "vectors.npy")
    np.save(folder / "vectors.npy", vectors[:-1])
    with pytest.raises(ConfigurationError, match="holds 59 vectors of 10 dimensions instead of 60 of 10"):
        published_listings(model)
    vectors[3, 1] = np.nan
    np.save(folder / "vectors.npy", vectors)
    with pytest.raises(ConfigurationError, match="holds values that are not finite"):
        published_listings(model)
    manifest = yaml.safe_load((folder / "dataset.yaml").read_text())
    (folder / "dataset.yaml").write_text(yaml.safe_dump(manifest | {"id": "number"}))
    with pytest.raises(ConfigurationError, match="has no column 'number'; copy the model's folder again"):
        published_listings(model)
    (folder / "dataset.yaml").write_text("metric: cosine\n")
    with pytest.raises(ConfigurationError, match="are by no model, those of users would be by made@1#"):
        published_listings(model)
    (folder / "dataset.yaml").write_text("metric: far\n")
    with pytest.raises(ConfigurationError, match=r"dataset.yaml: is damaged"):
        published_listings(model)
