"""A model's folder: read where it is whole, refused where it is not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from harness.errors import ConfigurationError
from models.data.marketplace.market import make_market
from models.data.marketplace.options import MarketplaceOptions
from models.data.marketplace.writing import write_marketplace
from models.data.reading import hm
from models.encoding.model import MODEL, TRAINING, Model
from models.features.stored import read_values, write_values
from tests.unit.models.encoding.folders import write_model
from tests.unit.models.encoding.made import encoder


def test_a_model_is_what_its_folder_says(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "made", version="7")
    model = Model.load(folder)
    made = encoder()
    assert (model.identity.name, model.identity.version) == ("made", "7")
    assert model.identity.hash == made.content_hash() == model.encoder.content_hash()
    assert model.items.categories == ("size", "colour")
    assert model.items.numbers == ("price", "year")
    assert model.items.texts == ("title", "description")
    assert Model.load(folder / MODEL).folder == folder


def test_what_training_knows_more_of_is_no_hindrance(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "made")
    write_values(folder / MODEL, read_values(folder / MODEL) | {"evaluation": {"table": []}, "more": 1})
    assert Model.load(folder).identity.name == "made"


def _replaced(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        write_values(folder / MODEL, read_values(folder / MODEL) | changes)

    return change


def _unfinished(folder: Path) -> None:
    (folder / MODEL).rename(folder / TRAINING)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / MODEL).unlink(), "made: holds no model.json; name a folder that bakeoff"),
        (
            lambda folder: folder.rename(folder.with_name("b")),
            "made: no such folder; name a folder that bakeoff",
        ),
        (_unfinished, "training that has not ended; go on with it: bakeoff train CONFIGURATION --out"),
        (_replaced(kind="bakeoff-features"), "model.json: is about no model (kind: bakeoff-model)"),
        (_replaced(format=2), "model.json: format must be 1, got 2; train the model again"),
        (_replaced(name="", hash="x"), "model.json: hash must match pattern"),
        (_replaced(configuration={"data": {"kind": "excel"}}), "model.json: configuration.data.kind"),
        (lambda folder: (folder / MODEL).write_text("{"), "model.json: is damaged or no JSON"),
        (lambda folder: (folder / "towers.npz").unlink(), "towers.npz: cannot be read"),
        (lambda folder: (folder / "features.json").unlink(), "features.json: cannot be read"),
    ],
)
def test_what_is_no_finished_model_is_refused(
    damage: Callable[[Path], Any], message: str, tmp_path: Path
) -> None:
    folder = write_model(tmp_path / "made")
    damage(folder)
    with pytest.raises(ConfigurationError) as caught:
        Model.load(folder)
    assert message in str(caught.value)


def test_towers_of_another_model_are_refused_and_both_are_named(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "made")
    other = encoder(weight=0.5)
    other.save(folder)
    with pytest.raises(ConfigurationError) as caught:
        Model.load(folder)
    told = str(caught.value)
    assert f"is about made@1#{encoder().content_hash()[:12]}, and" in told
    assert f"are made@1#{other.content_hash()[:12]};" in told
    encoder().save(folder)
    assert Model.load(folder).identity.hash == encoder().content_hash()


def test_columns_are_named_as_in_the_training_s_files(tmp_path: Path) -> None:
    own = Model.load(
        write_model(
            tmp_path / "own",
            items={"id": "sku", "listed": "since", "unit": "s", "categories": ["other"]},
            interactions={"user": "who", "item": "sku", "time": None, "event": "kind", "events": {"buy": 2}},
        )
    )
    assert (own.items.id, own.items.listed, own.items.unit) == ("sku", "since", "s")
    assert own.items.categories == ("size", "colour")
    assert (own.interactions.user, own.interactions.item, own.interactions.time) == ("who", "sku", None)
    assert own.interactions.events == {"buy": 2}
    plain = Model.load(write_model(tmp_path / "plain"))
    assert plain.interactions.model_fields_set == set()  # so that a file need have neither events nor weights


def test_h_and_m_s_columns_are_those_of_their_files(tmp_path: Path) -> None:
    model = Model.load(write_model(tmp_path / "hm", data={"kind": "hm"}))
    assert model.items.id == "article_id"
    assert model.interactions == hm.PURCHASES


def test_a_marketplace_s_columns_are_those_of_its_files(tmp_path: Path) -> None:
    market = make_market(MarketplaceOptions(listings=60, users=30, interactions=200))
    write_marketplace(tmp_path, market)
    model = Model.load(write_model(tmp_path / "model", data={"kind": "marketplace"}))
    names = pq.read_schema(tmp_path / "items.parquet").names
    assert {model.items.id, model.items.listed} <= set(names)
    taken = model.interactions
    names = pq.read_schema(tmp_path / "interactions.parquet").names
    assert {taken.user, taken.item, taken.time} <= set(names)
