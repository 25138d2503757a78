"""Users of files: their interactions, what they declare, or both."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from harness.errors import ConfigurationError
from models.data.interactions import ItemLists
from models.encoding.files.listing_files import Catalogue
from models.encoding.files.user_files import EncodedUsers, Histories, encode_users
from models.encoding.model import Model
from models.encoding.padding import padded_users
from models.encoding.user import DAY_MS
from tests.unit.models.data.made import lists, write
from tests.unit.models.encoding.folders import write_model
from tests.unit.models.encoding.made import DIM
from tests.unit.models.features.catalogues import catalogue

DAY_S = DAY_MS // 1000
NOW_S = 1_700_000_000


@pytest.fixture
def model(tmp_path: Path) -> Model:
    return Model.load(write_model(tmp_path / "made"))


@pytest.fixture
def listings(model: Model) -> Catalogue:
    return Catalogue(catalogue().ids, model.encoder.listings(catalogue()).vectors)


def _taken(path: Path, *rows: tuple[Any, Any, int], **more: Any) -> Path:
    """User, item and days ago."""
    users, items, days = (list(column) for column in zip(*rows, strict=True))
    return write(path, user_id=users, item_id=items, timestamp=[NOW_S - day * DAY_S for day in days], **more)


def _alike(vectors: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(vectors, expected, atol=1e-6)


def test_a_user_is_what_they_took_and_when(model: Model, listings: Catalogue, tmp_path: Path) -> None:
    path = _taken(
        tmp_path / "x.parquet", ("b", "item-3", 9), ("a", "item-1", 5), ("b", "item-3", 4), ("b", "item-7", 0)
    )
    found, histories = encode_users(model, listings, path, None)
    assert found.ids.tolist() == ["b", "a"]
    assert lists(histories.taken) == [[3, 7], [1]]
    assert found.history.tolist() == [2, 1]
    assert found.asked_ms == NOW_S * 1000
    b = model.encoder.user.one(listings.vectors[[3, 7]], np.array([4.0, 0.0]))
    a = model.encoder.user.one(listings.vectors[[1]], np.array([5.0]))
    _alike(found.vectors, padded_users(np.stack([b, a]), model.encoder.weights.weight))
    assert not np.allclose(b, model.encoder.user.one(listings.vectors[[3, 7]]), atol=1e-3)  # ages do count


def test_users_of_whom_nothing_can_be_used_are_there_all_the_same(
    model: Model, listings: Catalogue, tmp_path: Path
) -> None:
    path = _taken(
        tmp_path / "x.parquet",
        ("new", "gone", 3),
        ("a", "item-1", 5),
        ("a", "gone too", 1),
        (None, "item-2", 1),
    )
    found, histories = encode_users(model, listings, path, None)
    assert found.ids.tolist() == ["new", "a"]
    assert found.history.tolist() == [0, 1]
    assert (found.declaring, found.nothing) == (0, 1)
    assert np.isfinite(found.vectors).all()
    empty = model.encoder.user.one(listings.vectors[:0])
    _alike(found.vectors[:1], padded_users(empty[None], model.encoder.weights.weight))
    assert histories.left_out == {
        "without user_id (first in row 3)": 1,
        "of 2 items that are not in the catalogue (first in 'gone', row 0)": 2,
    }


def test_no_more_of_a_history_counts_than_in_training(
    model: Model, listings: Catalogue, tmp_path: Path
) -> None:
    longest = model.encoder.weights.user.longest
    rows = [("a", f"item-{row}", 40 - row) for row in range(longest + 5)]
    found, histories = encode_users(model, listings, _taken(tmp_path / "x.parquet", *rows), None)
    assert histories.taken.lengths.tolist() == [longest + 5]
    assert found.history.tolist() == [longest]


def test_what_users_declare_and_what_they_took_are_used_together(
    model: Model, listings: Catalogue, tmp_path: Path
) -> None:
    took = _taken(tmp_path / "x.parquet", ("a", "item-1", 0), ("b", "item-2", 0))
    said = write(
        tmp_path / "p.parquet",
        user_id=["cold", "b", "vague"],
        size=["M", "L", None],
        colour=[["red", "puce"], ["blue"], []],
    )
    found, _ = encode_users(model, listings, took, said)
    assert found.ids.tolist() == ["a", "b", "cold", "vague"]
    assert found.history.tolist() == [1, 1, 0, 0]
    assert (found.declaring, found.nothing) == (2, 1)
    assert found.unknown == {"colour": 1}
    declared = model.encoder.preferences(
        [{}, {"size": "L", "colour": "blue"}, {"size": "M", "colour": "red"}, {}]
    )
    histories = ItemLists.of([[1], [2], [], []])
    expected = model.encoder.user.many(listings.vectors, histories, declared=declared)
    _alike(found.vectors, padded_users(expected, model.encoder.weights.weight))
    alone, nobody = encode_users(model, None, None, said)
    assert alone.ids.tolist() == ["cold", "b", "vague"]
    _alike(alone.vectors[[0, 2]], found.vectors[2:])
    assert np.abs(alone.vectors[1] - found.vectors[1]).max() > 1e-3
    assert len(nobody.ids) == 0


def test_every_problem_of_both_files_is_named(model: Model, listings: Catalogue, tmp_path: Path) -> None:
    took = write(tmp_path / "x.parquet", user_id=["a"], item_id=["nothing"], timestamp=[NOW_S])
    said = write(tmp_path / "p.parquet", user_id=["a"], price=["1"])
    with pytest.raises(ConfigurationError) as caught:
        encode_users(model, listings, took, said)
    told = str(caught.value)
    assert f"{took}: column 'item_id': no item is in the catalogue, such as 'nothing' in row 0" in told
    assert f"{said}: column 'price': is no category of the model (these are: size, colour)" in told


def test_ids_of_different_types_are_refused(model: Model, listings: Catalogue, tmp_path: Path) -> None:
    numbered = _taken(tmp_path / "n.parquet", ("a", 1, 0))
    with pytest.raises(
        ConfigurationError, match="ids are of another type than the catalogue's, such as 1 in row 0"
    ):
        encode_users(model, listings, numbered, None)
    took = _taken(tmp_path / "x.parquet", ("1", "item-1", 0))
    said = write(tmp_path / "p.parquet", user_id=[1], size=["M"])
    with pytest.raises(ConfigurationError) as caught:
        encode_users(model, listings, took, said)
    assert f"{took}: users are such as '1', and {said}: such as 1; store the column 'user_id' of both" in str(
        caught.value
    )
    same = write(tmp_path / "q.parquet", user_id=["1"], size=["M"])
    assert encode_users(model, listings, took, same)[0].ids.tolist() == ["1"]


def test_columns_that_training_had_are_needed_and_weights_are_not(
    model: Model, listings: Catalogue, tmp_path: Path
) -> None:
    path = write(tmp_path / "x.parquet", user_id=["a"], what=["item-1"])
    with pytest.raises(ConfigurationError) as caught:
        encode_users(model, listings, path, None)
    assert [line.split(";")[0] for line in caught.value.problems] == [
        f"{path}: has no column 'item_id'",
        f"{path}: has no column 'timestamp'",
    ]
    own = Model.load(
        write_model(
            tmp_path / "own",
            interactions={"time": None, "event": "kind", "events": {"buy": 2}, "weight": "w"},
        )
    )
    with pytest.raises(ConfigurationError, match="has no column 'kind'; the model's training had it"):
        encode_users(own, listings, write(path, user_id=["a"], item_id=["item-1"]), None)
    events = {
        "user_id": ["a", "a", "b"],
        "item_id": ["item-1", "item-2", "item-1"],
        "kind": ["buy", "look", "look"],
    }

    def lists_of(**more: Any) -> tuple[EncodedUsers, Histories]:
        return encode_users(own, listings, write(path, **events, **more), None)

    found, histories = lists_of(weight=[-1, None, 3], w=["kg"] * 3)
    assert found.history.tolist() == [1, 0]
    assert found.asked_ms is None
    assert sum(histories.left_out.values()) == 2
    _alike(found.vectors, lists_of()[0].vectors)


def test_times_out_of_order_are_sorted_and_told(model: Model, listings: Catalogue, tmp_path: Path) -> None:
    rows = [("a", "item-1", 1), ("a", "item-2", 8), ("a", "item-2", 8)]
    found, histories = encode_users(model, listings, _taken(tmp_path / "x.parquet", *rows), None)
    assert lists(histories.taken) == [[2, 1]]
    assert histories.notes == ("1 rows come after a later one of the same user; all are sorted by time",)
    assert histories.left_out == {"that occur again (first in row 1)": 1}
    in_order = [*reversed(rows)]
    again = encode_users(model, listings, _taken(tmp_path / "y.parquet", *in_order), None)[0]
    _alike(found.vectors, again.vectors)
    assert found.vectors.shape == (1, DIM + 2)


def test_an_empty_file_is_refused(model: Model, listings: Catalogue, tmp_path: Path) -> None:
    none = pa.array([], pa.string())
    path = write(tmp_path / "x.parquet", user_id=none, item_id=none, timestamp=pa.array([], pa.int64()))
    with pytest.raises(ConfigurationError, match="holds no interactions"):
        encode_users(model, listings, path, None)
