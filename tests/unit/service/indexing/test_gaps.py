"""Tags and fields that listings may lack, in the engine: every difference from the truth, planted, is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engines.base import Field, Schema
from engines.bruteforce.adapter import BruteForce
from service.catalogue.listing import Fields, Listing, Put
from service.catalogue.opening import open_store
from service.catalogue.schema import CatalogueSchema
from service.catalogue.sql import SqlStore
from service.indexing.batches import as_batch
from service.indexing.checking import Differences, compare
from service.indexing.collection import Collection, EngineChoice
from service.indexing.following import Follower
from service.indexing.live import LiveIndex

SCHEMA = CatalogueSchema(
    Schema(
        4,
        "l2",
        (
            Field("colours", "tags"),
            Field("size", "keyword", optional=True),
            Field("stock", "integer", optional=True),
        ),
    )
)
COLOURS = ([], ["red"], ["red", "blue"], ["blue"], ["é", "red", "blue"])
SIZES = ("M", None, "S")
STOCK = (None, 0, 7)
LISTINGS = 30


class Blind(BruteForce):
    """Brute force that fetches nothing by its id."""

    capabilities = replace(BruteForce.capabilities, lookup=False)


CHOICES = {
    "lookup": EngineChoice.of("bruteforce", {}, {}),
    "filters": EngineChoice("blind", Blind, Blind.IndexParams(), Blind.SearchParams()),
    "faiss": EngineChoice.of("faiss", {"kind": "hnsw"}, {}),
}


def fields(row: int) -> Fields:
    attributes = {"colours": COLOURS[row % 5], "size": SIZES[row % 3], "stock": STOCK[row // 2 % 3]}
    return Fields(attributes, {}, np.random.default_rng(row).standard_normal(4).astype(np.float32))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    made = open_store(str(tmp_path / "catalogue.sqlite"), SCHEMA)
    made.write([Put(f"{row}", fields(row)) for row in range(LISTINGS)])
    yield made
    made.close()


@pytest.fixture(params=CHOICES)
def collection(request: pytest.FixtureRequest, store: SqlStore, tmp_path: Path) -> Iterator[Collection]:
    made = Collection(CHOICES[request.param], SCHEMA, tmp_path / "collection")
    made.create()
    Follower(store, made).catch_up(store.last_seq())
    made.refresh()
    yield made
    made.close()


def put(collection: Collection, listing: Listing, attributes: Mapping[str, Any]) -> None:
    changed = replace(listing, attributes={**listing.attributes, **attributes})
    collection.engine.index(as_batch([changed], SCHEMA))
    collection.engine.refresh()


@pytest.mark.parametrize(
    ("row", "attributes"),
    [
        (2, {"colours": []}),
        (2, {"colours": ["red"]}),
        (2, {"colours": ["red", "green"]}),
        (0, {"colours": ["green"]}),
        (0, {"size": None}),
        (1, {"size": "M"}),
        (1, {"size": ""}),
        (0, {"stock": 0}),
        (2, {"stock": None}),
    ],
)
def test_what_differs_is_stale(
    store: SqlStore, collection: Collection, row: int, attributes: Mapping[str, Any]
) -> None:
    assert compare(store, collection, store.last_seq()) == Differences(compared=LISTINGS)
    listing = store.get([f"{row}"])[f"{row}"]
    put(collection, listing, {"colours": listing.attributes["colours"][::-1]})  # type: ignore[index]
    assert compare(store, collection, store.last_seq()).agree  # tags have no order
    put(collection, listing, attributes)
    assert compare(store, collection, store.last_seq()) == Differences(compared=LISTINGS, stale=[row])


def test_more_tags_than_the_listings_are_found_where_others_have_them_or_items_can_be_fetched(
    store: SqlStore, collection: Collection
) -> None:
    listing = store.get(["1"])["1"]
    put(collection, listing, {"colours": ["red", "blue"]})
    assert compare(store, collection, store.last_seq()) == Differences(compared=LISTINGS, stale=[1])
    put(collection, listing, {"colours": ["red", "green"]})
    found = compare(store, collection, store.last_seq()).stale
    assert found == ([1] if collection.engine.capabilities.lookup else [])


def test_an_index_of_them_is_rebuilt_and_opened_again(store: SqlStore, tmp_path: Path) -> None:
    for _ in range(2):
        index = LiveIndex(store, CHOICES["faiss"], tmp_path / "index", poll_s=0.02)
        index.start()
        index.rebuild()
        assert index.check() == Differences(compared=LISTINGS)
        index.close()
    assert not index.built_because
