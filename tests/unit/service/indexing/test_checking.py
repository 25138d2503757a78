"""Every difference between truth and engine, planted beside a collection that agrees."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from service.catalogue.listing import Fields, Listing, Patch, Put, Remove
from service.catalogue.sql import SqlStore
from service.indexing.batches import as_batch
from service.indexing.checking import Differences, compare
from service.indexing.collection import Collection
from service.indexing.following import Follower
from tests.unit.service.indexing.catalogues import SCHEMA, choice, fields, open_catalogue

LISTINGS = 60


class Planted:
    """A collection that agrees with its catalogue, until a test changes what it holds behind the follower's back."""

    def __init__(self, store: SqlStore, label: str, folder: Path) -> None:
        rng = random.Random(3)
        store.write([Put(f"id-{place}", fields(rng)) for place in range(LISTINGS)])
        store.write([Put("twin", fields(random.Random(9))), Put("other twin", fields(random.Random(9)))])
        store.write([Remove("id-7"), Patch("id-8", Fields({"price": 3.0}))])
        self.store = store
        self.collection = Collection(choice(label), SCHEMA, folder / "collection")
        self.collection.create()
        self.follower = Follower(store, self.collection)
        self.follower.catch_up(store.last_seq())
        self.collection.refresh()

    def listing(self, id_: str) -> Listing:
        return self.store.get([id_])[id_]

    def put(self, listing: Listing) -> None:
        self.collection.engine.index(as_batch([listing], SCHEMA))
        self.collection.engine.refresh()

    def delete(self, number: int) -> None:
        self.collection.engine.delete(np.array([number]))

    def found(self) -> Differences:
        return compare(self.store, self.collection, self.follower.applied)


@pytest.fixture(params=["bruteforce", "faiss", "faiss-ivf", "qdrant-edge", "milvus-lite"])
def planted(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Planted]:
    store = open_catalogue(tmp_path)
    made = Planted(store, request.param, tmp_path)
    assert made.found() == Differences(compared=LISTINGS + 1)
    yield made
    made.collection.close()
    store.close()


def test_a_missing_listing_is_named(planted: Planted) -> None:
    number = planted.listing("id-5").number
    planted.delete(number)
    assert planted.found() == Differences(compared=LISTINGS + 1, missing=[number])


@pytest.mark.parametrize("name", ["brand", "price", "size", "sale"])
def test_a_listing_with_another_attribute_is_stale(planted: Planted, name: str) -> None:
    listing = planted.listing("id-5")
    other = {"brand": "?", "price": 2000.5, "size": 77, "sale": not listing.attributes["sale"]}
    planted.put(replace(listing, attributes={**listing.attributes, name: other[name]}))
    assert planted.found() == Differences(compared=LISTINGS + 1, stale=[listing.number])


def test_a_listing_with_another_vector_is_stale(planted: Planted) -> None:
    listing = planted.listing("id-5")
    moved = listing.vector.copy()
    moved[2] += 0.01
    planted.put(replace(listing, vector=moved))
    assert planted.found() == Differences(compared=LISTINGS + 1, stale=[listing.number])


def test_a_sold_listing_that_is_still_there_is_extra(planted: Planted) -> None:
    sold = replace(planted.listing("id-5"), number=7)
    assert planted.store.by_number([7]) == {}
    planted.put(sold)
    assert planted.found() == Differences(compared=LISTINGS + 1, extra=[7])


def test_an_item_that_never_was_a_listing_is_counted(planted: Planted) -> None:
    rng = random.Random(8)
    strange = fields(rng)
    listing = replace(planted.listing("id-5"), number=10_000, attributes={**strange.attributes, "size": 999})
    planted.put(listing)
    assert planted.found() == Differences(compared=LISTINGS + 1, unknown_extra=1)


def test_a_listing_that_took_anothers_attributes_is_stale_and_the_other_is_not(planted: Planted) -> None:
    listing, other = planted.listing("id-5"), planted.listing("id-6")
    planted.put(replace(listing, attributes=other.attributes))
    assert planted.found() == Differences(compared=LISTINGS + 1, stale=[listing.number])


def test_what_has_not_been_applied_yet_is_pending_and_no_difference(planted: Planted) -> None:
    planted.store.write(
        [Put("new", fields(random.Random(1))), Remove("id-9"), Patch("id-10", Fields({"size": 3}))]
    )
    assert planted.found() == Differences(compared=LISTINGS - 1, pending=3)
    planted.follower.catch_up(planted.store.last_seq())
    planted.collection.refresh()
    assert planted.found() == Differences(compared=LISTINGS + 1)
