"""What is going to be served, worked out before anything is opened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Field
from engines.bruteforce.adapter import BruteForce
from harness.data.dataset import Attribute, Dataset
from harness.errors import ConfigurationError
from harness.progress import silent
from models.encoding.model import Model
from models.publishing import columns
from service.application.planning.plan import Plan, plan
from service.application.planning.schema import LISTED, schema_of
from service.settings.model import CatalogueSettings, Settings
from tests.service import shop
from tests.unit.models.encoding.folders import publish, write_model
from tests.unit.models.features.catalogues import catalogue


def planned(folder: Path, **settings: Any) -> Plan:
    return plan(Settings.model_validate(settings), cache=folder / "cache", progress=silent)


def problems(folder: Path, **settings: Any) -> list[str]:
    with pytest.raises(ConfigurationError) as raised:
        planned(folder, **settings)
    return raised.value.problems


@pytest.fixture
def model(tmp_path: Path) -> Model:
    found = Model.load(write_model(tmp_path / "model"))
    publish(found, catalogue())
    return found


def test_fields_and_details_follow_the_data(tmp_path: Path) -> None:
    data = shop.write(tmp_path)
    made = planned(tmp_path, dataset=str(data), catalogue={"details": ["story"], "brand": "brand"})
    schema = made.schema
    assert {field.name: field.kind for field in schema.engine.fields} == {
        "brand": "keyword",
        "price": "float",
        "stock": "integer",
        "new": "boolean",
        "colours": "tags",
        "size": "integer",
    }
    assert [field.name for field in schema.engine.fields if field.can_lack] == ["colours", "size"]
    assert (schema.details, schema.texts, schema.brand) == (("title", "story"), ("title",), "brand")
    assert (schema.engine.dim, schema.engine.metric, schema.engine.model) == (shop.DIM, "cosine", "")
    assert made.folder == Path("served/shop")


def test_a_catalogue_may_begin_empty(tmp_path: Path) -> None:
    made = planned(tmp_path, catalogue={"dim": 3, "fields": {"price": "float"}}, data=str(tmp_path / "kept"))
    assert (made.schema.engine.dim, made.dataset, made.folder) == (3, None, tmp_path / "kept")
    assert problems(tmp_path) == [
        "catalogue.dim: is missing, and neither a data set nor a model says it; name one of them (--dataset, --model), "
        "as at the first start"
    ]


class Plain(BruteForce):
    """An engine that can hold neither tags nor gaps."""

    capabilities = replace(BruteForce.capabilities, tags=False, missing=False)


def test_fields_may_be_tags_and_optional_where_the_engine_can_hold_them(tmp_path: Path) -> None:
    fields = {"colours": "tags", "size": {"kind": "keyword", "optional": True}, "price": {"kind": "float"}}
    settings: dict[str, Any] = {"catalogue": {"dim": 3, "fields": fields}}
    assert planned(tmp_path, **settings).schema.engine.fields == (
        Field("colours", "tags"),
        Field("size", "keyword", optional=True),
        Field("price", "float"),
    )
    plain = f"{__name__}:Plain"
    (found,) = problems(tmp_path, engine=plain, **settings)
    assert found.startswith(f"engine {plain}: it cannot hold tags, several keywords of one item (colours)")
    del fields["colours"]
    (found,) = problems(tmp_path, engine=plain, **settings)
    assert "it cannot hold items that lack a value (size); take another engine" in found
    del fields["size"]
    assert planned(tmp_path, engine=plain, **settings).engine.kind is Plain


def test_a_model_brings_its_listings(tmp_path: Path, model: Model) -> None:
    made = planned(tmp_path, model=str(model.folder))
    assert made.dataset is not None
    assert made.schema.engine.model == model.identity.label


def test_when_a_listing_was_listed_is_known_of_data_that_training_writes() -> None:
    assert LISTED == columns.LISTED
    fields = (Field(LISTED, "integer"), Field("since", "integer"))
    vectors = np.ones((2, 3), np.float32)
    attributes = tuple(Attribute(field.name, "integer", "real") for field in fields)
    data = Dataset("made", "cosine", vectors, vectors, "f", attributes, {})

    def listed_at(**settings: str) -> str | None:
        made = schema_of(CatalogueSettings.model_validate(settings), data, None, {}, engine_text=False)
        return made.listed_at

    assert listed_at() == LISTED
    assert listed_at(listed_at="since") == "since"


def test_a_model_that_did_not_make_the_vectors(tmp_path: Path, model: Model) -> None:
    data = shop.write(tmp_path)
    (told,) = problems(tmp_path, model=str(model.folder), dataset=str(data), catalogue={"dim": 3})[1:]
    assert told.startswith("model: makes vectors of")
    manifest = model.folder / "dataset" / "dataset.yaml"
    manifest.write_text(manifest.read_text().replace(model.identity.hash, "f" * 64))
    assert "name the model that made them" in problems(tmp_path, model=str(model.folder))[0]


def test_settings_that_do_not_fit_the_data(tmp_path: Path) -> None:
    data = str(shop.write(tmp_path))
    found = problems(tmp_path, dataset=data, retrieval={"relax": ["colour"], "popularity": "brand"})
    assert [line.split(":")[0] for line in found] == ["retrieval.relax", "retrieval.popularity"]
    found = problems(tmp_path, dataset=data, catalogue={"dim": 3, "fields": {"price": "float"}})
    assert [line.split(":")[0] for line in found] == ["catalogue.dim", "catalogue.fields"]
    found = problems(tmp_path, dataset=data, catalogue={"texts": ["story"], "brand": "maker"})
    assert len(found) == 2


def test_parameters_of_the_engine_are_checked_with_all_else(tmp_path: Path) -> None:
    found = problems(
        tmp_path, engine="faiss", index={"kind": "hnsw", "m": "many"}, dataset="nowhere", host="0.0.0.0"
    )
    assert [line.split()[0] for line in found] == ["faiss:", "dataset", "keys:"]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"host": "0.0.0.0"}, "keys: are needed to listen on 0.0.0.0"),
        ({"limits": {"rate": "4/day"}}, "limits.rate: 4/day is of each key, and there are no keys"),
        ({"workers": 3}, "workers: 3 processes cannot have bruteforce open at once"),
        ({"engine": "fiass"}, "'fiass' is not known (known: bruteforce, faiss"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, settings: dict[str, Any], told: str) -> None:
    (found,) = problems(tmp_path, catalogue={"dim": 3}, **settings)
    assert told in found


def test_vectors_that_are_no_pictures_of_this_size(tmp_path: Path) -> None:
    data = shop.write(tmp_path)
    (data / "dataset.yaml").write_text("metric: cosine\nid: id\ntext: [title]\npicture: {pixels: [28, 28]}\n")
    (found,) = problems(tmp_path, dataset=str(data))
    assert "picture.pixels: 28 x 28 are 784 values, the vectors have 8; correct it" in found
