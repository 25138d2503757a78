"""Made-up users: what they took follows from their tastes, and they are told from real ones."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engines.base import Field, Schema
from harness.errors import ConfigurationError
from service.application.users.simulated import simulated_users, taste_fields
from service.catalogue.schema import CatalogueSchema
from service.memory.following import InStep
from service.memory.stock import Stock
from tests.unit.service.memory.truth import SCHEMA, Truth, listings

WORDS = Schema(6, "l2", (Field("price", "float"), Field("category", "keyword"), Field("brand", "keyword")))


def stocked(count: int) -> tuple[Stock, Truth]:
    truth, stock = Truth(listings(count)), Stock(SCHEMA)
    InStep(truth, [stock]).catch_up()  # type: ignore[arg-type]
    return stock, truth


def test_each_took_listings_of_its_own_value() -> None:
    stock, truth = stocked(200)
    found = simulated_users(3, ["brand"], stock)
    assert len(found) == 3
    by_id = {one.id: one for one in truth.there.values()}
    brands = []
    for name, user in found.items():
        taken = {by_id[one.id].attributes["brand"] for one in user.history}
        assert len(user.history) == 6
        assert len(taken) == 1
        assert name.startswith("simulated ")
        brands += taken
    assert len(set(brands)) == 3
    assert simulated_users(3, ["brand"], stock) == found


def test_tags_are_tastes_too() -> None:
    stock, truth = stocked(200)
    by_id = {one.id: one.attributes["colours"] for one in truth.there.values()}
    liked = []
    for name, user in simulated_users(9, ["colours"], stock).items():
        word = name.partition(": ")[2]
        assert all(word in by_id[one.id] for one in user.history)  # type: ignore[operator]
        liked.append(word)
    assert sorted(liked) == ["blue", "red", "é"]


def test_a_second_field_decides_on_half_of_it() -> None:
    stored = [
        replace(one, attributes={"price": 1.0, "category": f"c{number % 3}", "brand": f"b{number % 7}"})
        for number, one in enumerate(listings(420))
    ]
    stock = Stock(CatalogueSchema(WORDS, details=("title", "seller")))
    stock.apply(stored, [])
    by_id = {one.id: one.attributes for one in stored}
    for number, (name, user) in enumerate(simulated_users(3, ["category", "brand"], stock).items()):
        taken = [by_id[one.id] for one in user.history]
        assert name == f"simulated {number + 1}: c{number}, often b{number}"
        assert {one["category"] for one in taken} == {f"c{number}"}
        assert [one["brand"] for one in taken[3:]] == [f"b{number}"] * 3
        assert len({one.id for one in user.history}) == 6


def test_there_are_no_more_users_than_values_and_none_of_nothing() -> None:
    assert len(simulated_users(50, ["brand"], stocked(200)[0])) == 4
    assert simulated_users(5, ["brand"], stocked(0)[0]) == {}


def test_tastes_are_fields_of_words() -> None:
    assert taste_fields((), WORDS) == ("category", "brand")
    assert taste_fields(("brand",), WORDS) == ("brand",)
    with pytest.raises(
        ConfigurationError,
        match=r"tastes: 'price' is no field of keywords or tags \(there are: category, brand\)",
    ):
        taste_fields(("price",), WORDS)
    with pytest.raises(ConfigurationError, match="one or two"):
        taste_fields(("brand", "category", "brand"), WORDS)
    with pytest.raises(ConfigurationError, match="the catalogue has none"):
        taste_fields((), Schema(4, "l2"))
