"""What the truth says of listings on sale, kept in memory."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from engines.filters import And, Eq, Exists, Not, Range
from service.memory import stock as stock_module
from service.memory.following import InStep
from service.memory.stock import Stock
from tests.unit.service.memory.truth import DAY_MS, NOW_MS, SCHEMA, Truth, listings, matching

ACME = Eq("brand", "acme")


def stocked(count: int = 100, popularity: str | None = None) -> tuple[Stock, Truth, InStep]:
    truth, stock = Truth(listings(count)), Stock(SCHEMA, popularity)
    in_step = InStep(truth, [stock])  # type: ignore[arg-type]
    in_step.catch_up()
    return stock, truth, in_step


def test_what_is_known_is_what_the_truth_says_in_the_order_asked() -> None:
    stock, truth, _ = stocked()
    known = stock.look([7, 3, 1000, 7, 50])
    assert known.numbers.tolist() == [7, 3, 50]
    for row, number in enumerate(known.numbers.tolist()):
        listing = truth.there[number]
        assert (known.ids[row], known.sellers[row], known.brands[row]) == (
            listing.id,
            listing.seller,
            listing.brand,
        )
        assert (known.listed_ms[row], known.versions[row]) == (listing.listed_at_ms, listing.version)
        assert known.columns["price"][row] == listing.attributes["price"]
    assert known.matching(ACME).tolist() == matching([truth.there[n] for n in (7, 3, 50)], ACME).tolist()
    assert known[np.array([2, 0])].numbers.tolist() == [50, 7]


def test_it_follows_changes_removals_and_returns() -> None:
    stock, truth, in_step = stocked()
    changed = replace(truth.there[3], version=2, attributes=dict(truth.there[3].attributes) | {"price": 7.25})
    back = truth.there[5]
    truth.put([changed])
    truth.remove([5, 6])
    truth.put([replace(back, version=3)])
    in_step.catch_up()
    assert len(stock) == 99
    assert stock.look([3]).columns["price"].tolist() == [7.25]
    assert stock.look([5, 6]).numbers.tolist() == [5]


def test_former_versions_are_given_up_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stock_module, "_SPARE_ROWS", 50)
    stock, truth, in_step = stocked()
    for version in range(2, 12):
        truth.put([replace(listing, version=version) for listing in truth.there.values()])
        in_step.catch_up()
    truth.remove(range(90))
    in_step.catch_up()
    truth.put([replace(truth.there[95], version=20)])
    in_step.catch_up()
    assert len(stock._rows.columns) < 300  # of 1,101 written
    assert stock.look([95, 3]).versions.tolist() == [20]
    assert stock.count(None) == 10
    assert stock.count(ACME) == np.count_nonzero(matching(list(truth.there.values()), ACME))


def test_shares_of_filters_are_estimated_from_a_sample_and_counted() -> None:
    stock, truth, in_step = stocked(6000)
    truth.remove(range(3000))
    in_step.catch_up()
    where = And((ACME, Range("price", lt=50)))
    matched = np.count_nonzero(matching(list(truth.there.values()), where))
    assert stock.count(where) == matched
    assert stock.estimated(where) == pytest.approx(matched, rel=0.25)
    assert stock.estimated(None) == 3000
    assert stock.estimated(Eq("brand", "none")) == 0
    assert Stock(SCHEMA).estimated(ACME) == 0


def test_popular_ones_come_first_and_the_newest_where_nothing_says_who_is() -> None:
    for popularity in (None, "taken"):
        stock, truth, in_step = stocked(popularity=popularity)
        truth.remove(range(0, 100, 3))
        in_step.catch_up()
        there = [
            one
            for one, match in zip(
                truth.there.values(), matching(list(truth.there.values()), ACME), strict=True
            )
            if match
        ]
        there.sort(
            key=lambda one: (
                -int(one.attributes["taken"]) if popularity else 0,
                -one.listed_at_ms,
                one.number,
            )
        )
        assert list(stock.popular(5, ACME).ids) == [one.number for one in there[:5]]
        assert len(stock.popular(1000, None).ids) == len(truth.there)


def test_of_unknown_popularity_counts_as_the_least_there_is() -> None:
    stock, truth, _ = stocked(popularity="worn")
    there = sorted(
        truth.there.values(),
        key=lambda one: (-int(str(one.attributes["worn"] or 2)), -one.listed_at_ms, one.number),
    )
    found = stock.popular(100, None)
    assert list(found.ids) == [one.number for one in there]
    assert min(found.scores) == 2
    unknown = stock.popular(3, Not(Exists("worn")))
    assert (len(unknown.ids), list(unknown.scores)) == (3, [0, 0, 0])


def test_tags_are_counted_by_word_and_what_is_missing_too() -> None:
    stock, truth, in_step = stocked()
    truth.remove(range(30))
    in_step.catch_up()
    there = [one.attributes for one in truth.there.values()]
    found = {one.field.name: one for one in stock.facets(2)}
    words = Counter(str(word) for one in there for word in one["colours"])  # type: ignore[union-attr]
    assert found["colours"].values == tuple(words.most_common(2))
    assert found["colours"].others == 1
    assert found["colours"].missing == sum(not one["colours"] for one in there) > 0
    worn = [int(one["worn"]) for one in there if one["worn"] is not None]  # type: ignore[arg-type]
    assert (found["worn"].least, found["worn"].greatest) == (min(worn), max(worn))
    assert found["worn"].missing == len(there) - len(worn)
    assert found["brand"].missing == 0
    assert stock.count(And((Eq("colours", "red"), Exists("worn")))) == sum(
        "red" in one["colours"] and one["worn"] is not None  # type: ignore[operator]
        for one in there
    )


def test_values_are_counted_of_what_is_on_sale() -> None:
    stock, truth, in_step = stocked()
    truth.put([replace(one, version=2) for one in truth.there.values()])
    truth.remove(range(30))
    in_step.catch_up()
    there = [one.attributes for one in truth.there.values()]
    found = {one.field.name: one for one in stock.facets(3)}
    brands = Counter(str(one["brand"]) for one in there)
    assert found["brand"].values == tuple(sorted(brands.items(), key=lambda item: (-item[1], item[0]))[:3])
    assert found["brand"].others == len(brands) - 3
    assert dict(found["new"].values) == Counter(one["new"] for one in there)
    prices = [one["price"] for one in there]
    assert (found["price"].least, found["price"].greatest) == (min(prices), max(prices))
    assert found["size"].greatest == max(one["size"] for one in there)  # beyond what a float holds
    empty = {one.field.name: one for one in Stock(SCHEMA).facets(3)}
    assert (empty["brand"].values, empty["price"].least) == ((), None)


def test_some_that_match_are_drawn_the_same_for_a_seed() -> None:
    stock, truth, in_step = stocked()
    truth.remove(range(30))
    in_step.catch_up()
    there = {one.id for one in truth.there.values() if one.attributes["brand"] == "acme"}
    drawn = stock.drawn(ACME, 5, 1)
    assert len(set(drawn)) == 5
    assert {*drawn} <= there
    assert stock.drawn(ACME, 5, 1) == drawn != stock.drawn(ACME, 5, 2)
    assert {*stock.drawn(ACME, 1000, 1)} == there
    assert stock.drawn(Eq("brand", "none"), 5, 1) == []


def test_the_typical_age_is_the_median_of_what_is_on_sale() -> None:
    stock, truth, in_step = stocked()
    ages = [NOW_MS - one.listed_at_ms for one in truth.there.values()]
    assert stock.typical_age_ms(NOW_MS) == np.median(ages)
    truth.put([replace(one, number=one.number + 100, listed_at_ms=NOW_MS) for one in listings(100)])
    truth.remove(range(100))
    in_step.catch_up()
    assert stock.typical_age_ms(NOW_MS + DAY_MS) == DAY_MS
    assert Stock(SCHEMA).typical_age_ms(NOW_MS) == 0


def test_it_is_read_while_it_is_written() -> None:
    stock, truth, in_step = stocked()
    wrong: list[str] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            known = stock.look(range(100))
            lengths = {len(known.ids), len(known.columns["price"]), len(known.sellers)}
            if lengths != {100} or stock.count(None) != 100 or (known.versions < 1).any():
                wrong.append(f"{lengths}")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for version in range(2, 60):
        truth.put([replace(listing, version=version) for listing in truth.there.values()])
        in_step.catch_up()
    stop.set()
    for reader in readers:
        reader.join()
    assert wrong == []
