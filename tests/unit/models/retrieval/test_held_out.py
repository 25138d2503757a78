"""The users of a model's dataset: read whole, and only where the model is the one that wrote it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from harness.errors import ConfigurationError
from models.encoding.model import Model
from models.publishing.taken import TAKEN, read_taken
from models.publishing.users import USERS
from models.retrieval.held_out import HeldOut, read_held_out
from tests.unit.models.encoding.folders import write_model
from tests.unit.models.publishing.shop import Shop, shop


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model.load(write_model(tmp_path / "model"))


def read(model: Model, whole: Shop | None = None, **options: int) -> HeldOut:
    if whole is not None:
        whole.write(model.folder / "dataset", identity=model.identity)
    return read_held_out(model, model.folder.parent / "cache", **options)


def test_users_are_read_with_what_they_took_and_are_to_be_asked(model: Model) -> None:
    whole = shop()
    held = read(model, whole)
    assert held.cases.histories.items.tolist() == whole.cases.histories.items.tolist()
    assert held.cases.targets.items.tolist() == whole.cases.targets.items.tolist()
    assert held.popularity.taken.tolist() == list(range(60))
    assert held.hits(10) == tuple(10 + min(user, 4) for user in range(12))
    assert held.hits(58) == (58, 59, *[60] * 10)  # there are no more listings than that
    assert held.elsewhere == 0


def test_the_first_users_alone(model: Model) -> None:
    held = read(model, shop(), queries=5)
    assert len(held.cases) == len(held.dataset.queries) == 5
    assert held.hits(1) == (1, 2, 3, 4, 5)


def test_another_model_s_dataset_is_refused_and_both_are_named(model: Model) -> None:
    other = replace(model.identity, hash="f" * 64)
    shop().write(model.folder / "dataset", identity=other)
    with pytest.raises(ConfigurationError) as caught:
        read(model)
    assert f"was written by {other.label}, and {model.folder} holds {model.identity.label}" in str(
        caught.value
    )


def test_users_that_are_not_the_queries_are_refused(model: Model) -> None:
    read(model, shop())
    path = model.folder / "dataset" / USERS
    pq.write_table(pq.read_table(path).slice(0, 11), path)
    with pytest.raises(ConfigurationError, match="has 12 queries and 11 users"):
        read(model)


def test_what_was_taken_in_training_must_be_there_and_of_these_listings(model: Model, tmp_path: Path) -> None:
    read(model, shop())
    path = model.folder / "dataset" / TAKEN
    assert read_taken(path.parent, 60).users == 60
    with pytest.raises(ConfigurationError, match="'taken' for 59 listings"):
        read_taken(path.parent, 59)
    np.savez(path, taken=np.zeros(60), users=np.array(60))
    with pytest.raises(ConfigurationError, match="'taken' for 60 listings"):
        read_taken(path.parent, 60)
    path.unlink()
    with pytest.raises(ConfigurationError, match=r"taken\.npz: is missing"):
        read_taken(path.parent, 60)
