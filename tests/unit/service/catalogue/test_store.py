"""What every store does, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier, Event
from typing import Any

import numpy as np
import pytest

from engines.base import Field, Schema
from harness.errors import ConfigurationError
from service.catalogue.listing import (
    Absent,
    Conflict,
    Fields,
    OutboxRow,
    Patch,
    Put,
    Remove,
    Stale,
    Unchanged,
    Written,
)
from service.catalogue.schema import CatalogueSchema
from service.database.errors import StoreError
from tests.unit.service.catalogue.conftest import Opener

ENGINE = Schema(2, "ip", (Field("brand", "keyword"), Field("price", "float"), Field("size", "integer")))
SCHEMA = CatalogueSchema(ENGINE, {}, ("title", "seller"), (), ("title",), "seller", "brand")


def fields(price: float = 1, x: float = 0, **details: str) -> Fields:
    vector = np.array([x, 1], np.float32)
    return Fields({"brand": "Zara", "price": float(price), "size": 2**62 + 1}, details, vector, "towers@1")


def put(id_: str, price: float = 1, **conditions: Any) -> Put:
    return Put(id_, fields(price, title="ein Mantel, 50 % Wolle?", seller="s1"), **conditions)


def test_a_listing_comes_back_as_it_was_written(opened: Opener) -> None:
    store = opened(SCHEMA)
    assert store.write([put("é/1")]) == [Written(0, 1, 1)]
    listing = store.get(["é/1", "other"])["é/1"]
    assert (listing.number, listing.version, listing.model) == (0, 1, "towers@1")
    assert listing.attributes == {"brand": "Zara", "price": 1.0, "size": 2**62 + 1}
    assert type(listing.attributes["price"]) is float
    assert listing.details == {"title": "ein Mantel, 50 % Wolle?", "seller": "s1"}
    assert (listing.seller, listing.brand) == ("s1", "Zara")
    assert listing.vector.dtype == np.float32
    assert listing.vector.tolist() == [0, 1]
    assert listing.listed_at_ms == listing.updated_at_ms > 0
    assert store.by_number([0, 7]).keys() == {0}
    assert store.get([]) == {}


def test_it_is_still_there_when_the_store_is_opened_again(opened: Opener) -> None:
    first = opened(SCHEMA)
    first.write([put("a"), put("b"), Remove("a")])
    first.set_meta("live", "g1")
    first.close()
    again = opened(SCHEMA)
    assert again.get(["a", "b"]).keys() == {"b"}
    assert (again.count(), again.last_seq(), again.meta("live"), again.meta("other")) == (1, 3, "g1", None)
    assert again.write([put("c")]) == [Written(2, 1, 4)]


def test_the_outbox_holds_the_last_change_of_each_listing_in_order(opened: Opener) -> None:
    store = opened(SCHEMA)
    store.write([put("a"), put("b"), put("c")])
    store.write([put("a", 2), Remove("b")])
    rows = [OutboxRow(3, 2, 1, False), OutboxRow(4, 0, 2, False), OutboxRow(5, 1, 2, True)]
    assert store.changes_after(0) == rows
    assert store.changes_after(0, 2) == rows[:2]
    assert store.changes_after(4) == rows[2:]
    assert store.changes_after(5) == []


def test_scanning_reads_each_listing_once_by_its_number(opened: Opener) -> None:
    store = opened(SCHEMA)
    store.write([put(f"{place}") for place in range(7)])
    store.write([Remove("3")])
    first = store.scan(limit=4)
    rest = store.scan(first[-1].number, 10)
    assert [listing.number for listing in (*first, *rest)] == [0, 1, 2, 4, 5, 6]


def test_repeated_and_late_writes_are_told_so(opened: Opener) -> None:
    store = opened(SCHEMA)
    assert store.write([put("a", 1, version=5), put("a", 1, version=5)]) == [
        Written(0, 5, 1),
        Unchanged(0, 5, 1),
    ]
    assert store.write([put("a", 1), put("a", 9, version=4), put("a", 9, version=5)]) == [
        Unchanged(0, 5, 1),
        Stale(5),
        Stale(5),
    ]
    assert store.get(["a"])["a"].attributes["price"] == 1
    assert store.write([Remove("a", version=7), put("a", 2, version=6)]) == [Written(0, 7, 2), Stale(7)]
    assert store.count() == 0
    assert store.write([put("a", 2)]) == [Written(0, 8, 3)]


def test_a_removal_that_comes_before_its_listing_keeps_it_out(opened: Opener) -> None:
    store = opened(SCHEMA)
    assert store.write([Remove("a", version=9), put("a", version=8)]) == [Written(0, 9, 1), Stale(9)]
    assert store.write([Remove("a", version=9), Remove("a")]) == [Unchanged(0, 9, 1), Absent()]
    assert store.count() == 0


def test_a_removed_listing_keeps_what_it_was_for_those_who_took_it(opened: Opener) -> None:
    store = opened(SCHEMA)
    store.write([put("a"), put("b"), Remove("a"), Remove("never", version=3)])
    assert store.get(["a", "b", "never"]).keys() == {"b"}
    sold = store.get(["a", "b", "never"], removed=True)
    assert sold.keys() == {"a", "b"}
    assert sold["a"] == replace(sold["b"], id="a", number=0, version=2, vector=sold["a"].vector)
    assert sold["a"].vector.tolist() == [0, 1]
    assert store.known(["a", "b", "never", "other"]) == {"a", "b", "never"}
    assert (store.by_number([0]), [one.id for one in store.scan()], store.count()) == ({}, ["b"], 1)
    assert store.changes_after(2)[0] == OutboxRow(3, 0, 2, True)
    assert store.write([Patch("a", Fields({"price": 2.0})), put("a")]) == [Absent(), Written(0, 3, 5)]
    assert store.get(["a"])["a"].version == 3


def test_an_older_catalogue_without_the_fields_of_removed_listings_is_brought_up(opened: Opener) -> None:
    older = opened(SCHEMA)
    older.write([put("a"), put("b"), Remove("a")])
    with older._database.writing() as session:
        empty = "vector = null, attributes = null, details = null"
        session.run(f"update catalogue_listings set {empty} where removed = 1", [()])
        session.run("alter table catalogue_listings drop column removed", [()])
    older.close()
    for _ in range(2):
        store = opened(SCHEMA)
        assert (store.get(["a", "b"]).keys(), store.known(["a", "b"]), store.count()) == (
            {"b"},
            {"a", "b"},
            1,
        )
        assert store.changes_after(2) == [OutboxRow(3, 0, 2, True)]
    assert store.write([put("a"), Remove("b")]) == [Written(0, 3, 4), Written(1, 2, 5)]
    assert store.get(["a", "b"], removed=True).keys() == {"a", "b"}


def test_a_condition_holds_or_nothing_is_written(opened: Opener) -> None:
    store = opened(SCHEMA)
    assert store.write([put("a", expected=1), put("a", expected=0)]) == [Conflict(0), Written(0, 1, 1)]
    assert store.write([put("a", 3, expected=0), Patch("a", Fields({"price": 2.0}), expected=2)]) == [
        Conflict(1),
        Conflict(1),
    ]
    assert store.write([Patch("a", Fields({"price": 2.0}), expected=1)]) == [Written(0, 2, 2)]
    assert store.write([Remove("a", expected=1), Remove("a", expected=2)]) == [Conflict(2), Written(0, 3, 3)]


def test_a_patch_changes_what_it_names(opened: Opener) -> None:
    store = opened(SCHEMA)
    assert store.write([Patch("a", Fields({"price": 2.0}))]) == [Absent()]
    store.write([put("a")])
    patch = Patch("a", Fields({"price": 2.0}, {"title": "new"}, np.array([3, 4], np.float32)))
    assert store.write([patch, patch]) == [Written(0, 2, 2), Unchanged(0, 2, 2)]
    listing = store.get(["a"])["a"]
    assert listing.attributes == {"brand": "Zara", "price": 2.0, "size": 2**62 + 1}
    assert listing.details == {"title": "new", "seller": "s1"}
    assert (listing.vector.tolist(), listing.model) == ([3, 4], "")


def test_what_is_written_together_is_written_wholly_or_not_at_all(opened: Opener) -> None:
    store = opened(SCHEMA)
    broken = Put("b", replace(fields(), attributes={"brand": object()}))
    with pytest.raises(TypeError):
        store.write([put("a"), broken])
    assert (store.count(), store.last_seq(), store.changes_after(0)) == (0, 0, [])
    assert store.write([put("a")]) == [Written(0, 1, 1)]


def test_writers_at_once_share_commits_and_lose_nothing(opened: Opener) -> None:
    store = opened(SCHEMA)
    writers, each = 32, 10
    ready = Barrier(writers)

    def write(writer: int) -> list[Any]:
        ready.wait()
        return [store.write([put(f"{writer}/{place}")])[0] for place in range(each)]

    before = store.commits
    with ThreadPoolExecutor(writers) as threads:
        outcomes = [outcome for found in threads.map(write, range(writers)) for outcome in found]
    assert store.count() == store.last_seq() == len(outcomes) == writers * each
    assert sorted(outcome.number for outcome in outcomes) == list(range(writers * each))
    assert sorted(outcome.seq for outcome in outcomes) == list(range(1, writers * each + 1))
    assert store.commits - before < writers * each / 4


def test_a_caller_whose_change_cannot_be_written_does_not_harm_others(opened: Opener) -> None:
    store = opened(SCHEMA)
    broken = Put("b", replace(fields(), attributes={"brand": object()}))
    with ThreadPoolExecutor(20) as threads:
        good = [threads.submit(store.write, [put(f"{place}")]) for place in range(10)]
        bad = [threads.submit(store.write, [broken]) for _ in range(10)]
    assert all(isinstance(one.result()[0], Written) for one in good)
    assert all(isinstance(one.exception(), TypeError) for one in bad)
    assert store.count() == 10


def test_two_services_on_one_catalogue_share_its_numbers_and_its_outbox(opened: Opener) -> None:
    stores = [opened(SCHEMA), opened(SCHEMA)]
    done, seen = Event(), []

    def follow() -> None:
        place = 0
        while not done.is_set() or stores[0].last_seq() > place:
            for row in stores[0].changes_after(place, 7):
                seen.append(row.number)
                place = row.seq

    def write(number: int) -> None:
        for place in range(25):
            stores[number].write([put(f"{number}/{place}")])

    with ThreadPoolExecutor(3) as threads:
        following = threads.submit(follow)
        list(threads.map(write, range(2)))
        done.set()
        following.result()
    assert sorted(seen) == list(range(50))
    assert stores[1].count() == 50


def test_a_catalogue_of_another_model_or_kind_is_not_opened(opened: Opener) -> None:
    opened(SCHEMA).write([put("a")])
    other = Schema(
        3, "ip", (Field("brand", "integer"), Field("size", "integer"), Field("sale", "boolean")), model="m@2"
    )
    with pytest.raises(ConfigurationError) as raised:
        opened(CatalogueSchema(other))
    said = raised.value.problems
    assert len(said) == 4
    for line, part in zip(
        said, ("the model of", "the dim of", "'brand' is keyword", "no field 'sale'"), strict=True
    ):
        assert part in line


def test_a_field_that_came_later_is_filled_and_one_that_went_is_left_out(opened: Opener) -> None:
    opened(SCHEMA).write([put("a")])
    grown = Schema(2, "ip", (Field("price", "float"), Field("sale", "boolean")))
    store = opened(CatalogueSchema(grown, {"sale": False}))
    assert store.get(["a"])["a"].attributes == {"price": 1.0, "sale": False}
    store.write([Patch("a", Fields({"price": 2.0}))])
    assert store.scan()[0].attributes == {"price": 2.0, "sale": False}
    with pytest.raises(ConfigurationError, match="'brand' is keyword"):
        opened(CatalogueSchema(Schema(2, "ip", (Field("brand", "integer"),)), {"brand": 0}))


def test_listing_times_come_from_the_field_that_the_schema_names(opened: Opener) -> None:
    store = opened(CatalogueSchema(ENGINE, listed_at="size"))
    store.write([put("a")])
    assert store.get(["a"])["a"].listed_at_ms == 2**62 + 1


def test_after_closing_everything_says_so(opened: Opener) -> None:
    store = opened(SCHEMA)
    store.close()
    store.close()
    for call in (lambda: store.write([put("a")]), store.count, lambda: store.set_meta("a", "b")):
        with pytest.raises(StoreError, match="closed"):
            call()


@pytest.mark.parametrize("conditions", [{"version": 0}, {"version": 2**62 + 1}, {"expected": -1}])
def test_versions_outside_their_range_are_refused(conditions: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="a version must be"):
        Remove("a", **conditions)
    with pytest.raises(ValueError, match="a version must be"):
        put("a", **conditions)


def test_a_listing_without_a_vector_cannot_be_put() -> None:
    with pytest.raises(ValueError, match="no vector"):
        Put("a", Fields())
