"""Documents made into changes, and changes made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engines.base import Field, Schema, Vectors
from harness.errors import ConfigurationError
from service.catalogue.listing import Absent, Conflict, Fields, Patch, Written
from service.catalogue.opening import open_store
from service.catalogue.schema import CatalogueSchema
from service.catalogue.sql import SqlStore
from service.writing.carrying import Wish, carry_out

SCHEMA = CatalogueSchema(
    Schema(1, "l2", (Field("price", "float"), Field("stock", "integer")), model="made@1")
)


class Encoder:
    """The vector is the price. meanwhile: what others write before each encoding, once each."""

    label = "made@1"
    columns = frozenset({"price"})

    def __init__(self, store: SqlStore, meanwhile: list[Patch]) -> None:
        self.store, self.meanwhile = store, meanwhile

    def vectors(self, ids: Sequence[str], documents: Sequence[Mapping[str, object]]) -> Vectors:
        if self.meanwhile:
            self.store.write([self.meanwhile.pop(0)])
        prices = [document["price"] for document in documents]
        if 0.0 in prices:
            raise ConfigurationError("the vector of a listing is zero")
        return np.array(prices, np.float32)[:, None]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    found = open_store(str(tmp_path / "catalogue.sqlite"), SCHEMA)
    yield found
    found.close()


def parts(store: SqlStore, *meanwhile: Patch) -> Any:
    return SimpleNamespace(store=store, schema=SCHEMA, encoder=Encoder(store, list(meanwhile)))


def priced(price: float) -> Patch:
    return Patch("a", Fields({"price": price, "stock": 9}))


def test_a_patch_that_others_come_before_is_made_of_what_they_wrote(store: SqlStore) -> None:
    carry_out(parts(store), [Wish("put", "a", {"price": 1.0, "stock": 1})])
    (outcome,) = carry_out(parts(store, priced(5.0)), [Wish("patch", "a", {"price": 2.0})])
    assert isinstance(outcome, Written)
    found = store.get(["a"])["a"]
    assert (found.attributes, found.vector.tolist(), found.version) == ({"price": 2.0, "stock": 9}, [2.0], 3)


def test_a_patch_for_a_version_is_not_tried_again(store: SqlStore) -> None:
    carry_out(parts(store), [Wish("put", "a", {"price": 1.0, "stock": 1})])
    (outcome,) = carry_out(parts(store, priced(5.0)), [Wish("patch", "a", {"price": 2.0}, expected=1)])
    assert outcome == Conflict(2)
    assert store.get(["a"])["a"].attributes["price"] == 5.0


def test_it_is_given_up_where_others_always_come_before(store: SqlStore) -> None:
    carry_out(parts(store), [Wish("put", "a", {"price": 1.0, "stock": 1})])
    others = [priced(float(price)) for price in range(100, 200)]
    (outcome,) = carry_out(parts(store, *others), [Wish("patch", "a", {"price": 2.0})])
    assert isinstance(outcome, Conflict)
    assert store.get(["a"])["a"].attributes["price"] >= 100


def test_patches_of_one_listing_in_their_order(store: SqlStore) -> None:
    carry_out(parts(store), [Wish("put", "a", {"price": 1.0, "stock": 1})])
    wishes = [
        Wish("patch", "a", {"price": 2.0}),
        Wish("patch", "a", {"stock": 5}),
        Wish("patch", "a", {"price": 3.0}),
    ]
    outcomes = carry_out(parts(store), wishes)
    assert all(isinstance(outcome, Written) for outcome in outcomes)
    found = store.get(["a"])["a"]
    assert (found.attributes, found.vector.tolist()) == ({"price": 3.0, "stock": 5}, [3.0])


def test_their_order_holds_although_others_come_before(store: SqlStore) -> None:
    carry_out(parts(store), [Wish("put", "a", {"price": 1.0, "stock": 1})])
    wishes = [Wish("patch", "a", {"price": 2.0, "stock": 2}), Wish("patch", "a", {"stock": 5})]
    carry_out(parts(store, priced(5.0)), wishes)
    assert store.get(["a"])["a"].attributes == {"price": 2.0, "stock": 5}


def test_different_operations_in_one_call_in_their_order(store: SqlStore) -> None:
    wishes = [
        Wish("put", "a", {"price": 1.0, "stock": 1}),
        Wish("patch", "a", {"price": 2.0}),
        Wish("put", "b", {"price": 4.0, "stock": 1}),
        Wish("remove", "b", {}),
        Wish("patch", "b", {"price": 5.0}),
        Wish("remove", "a", {}),
        Wish("put", "a", {"price": 3.0, "stock": 1}),
    ]
    outcomes = carry_out(parts(store), wishes)
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Written, Written, Written, Written, Absent, Written, Written]
    assert store.get("ab").keys() == {"a"}
    assert store.get(["a"])["a"].vector.tolist() == [3.0]


def test_a_vector_that_was_given_stays(store: SqlStore) -> None:
    carry_out(parts(store), [Wish("put", "a", {"price": 1.0, "stock": 1, "vector": [7.0]})])
    carry_out(parts(store), [Wish("patch", "a", {"price": 2.0})])
    found = store.get(["a"])["a"]
    assert (found.vector.tolist(), found.model) == ([7.0], "")


@pytest.mark.parametrize("operation", ["put", "patch"])
def test_what_cannot_be_encoded_keeps_no_other_from_being_written(store: SqlStore, operation: Any) -> None:
    carry_out(parts(store), [Wish("put", key, {"price": 1.0, "stock": 1}) for key in "abc"])
    wishes = [
        Wish(operation, key, {"price": price, "stock": 1})
        for key, price in (("a", 2.0), ("b", 0.0), ("c", 3.0))
    ]
    first, second, third = carry_out(parts(store), wishes)
    assert isinstance(first, Written)
    assert isinstance(third, Written)
    assert isinstance(second, list)
    assert [one.field for one in second] == ["vector"]
    assert [store.get([key])[key].attributes["price"] for key in "abc"] == [2.0, 1.0, 3.0]


def test_what_was_written_before_something_cannot_be_encoded_is_not_written_again(store: SqlStore) -> None:
    carry_out(parts(store), [Wish("put", key, {"price": 1.0, "stock": 1}) for key in "ab"])
    wishes = [
        Wish("patch", "a", {"price": 2.0}, expected=1),
        Wish("remove", "b", {}),
        Wish("patch", "a", {"price": 0.0}),
        Wish("patch", "a", {"stock": 5}),
    ]
    outcomes = carry_out(parts(store), wishes)
    assert [type(outcome) for outcome in outcomes] == [Written, Written, list, Written]
    assert store.get("ab")["a"].attributes == {"price": 2.0, "stock": 5}
