"""Listings as the towers read them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from harness.errors import ConfigurationError
from models.data.items import Categories, Items
from models.features.encoder import FeatureEncoder
from models.features.features import Features
from models.features.options import FeatureOptions
from tests.unit.models.features.catalogues import SIZES, catalogue, taken

OPTIONS = FeatureOptions(text_dim=6)


def fitted(options: FeatureOptions = OPTIONS) -> FeatureEncoder:
    return FeatureEncoder.fit(catalogue(), taken(), options)


def finite(features: Features) -> bool:
    return bool(np.isfinite(features.numbers).all() and np.isfinite(features.text).all())


def test_every_listing_has_a_row_of_each_array_within_its_sizes() -> None:
    encoder, items = fitted(), catalogue()
    features = encoder.encode(items)
    sizes = encoder.sizes
    assert features.ids.shape == (60,)
    assert features.categories.shape == (60, 2) == (60, len(sizes.categories))
    assert features.numbers.shape == (60, 4) == (60, sizes.numbers)
    assert features.text.shape == (60, 6) == (60, sizes.text)
    assert (features.categories.max(axis=0) == np.array(sizes.categories) - 1).all()
    assert features.ids.max() == sizes.ids - 1
    assert (features.ids.dtype, features.categories.dtype) == (np.int32, np.int32)
    assert (features.numbers.dtype, features.text.dtype) == (np.float32, np.float32)
    assert finite(features)
    assert len(features) == len(features.take(slice(None))) == 60


def test_listings_that_were_taken_have_ids_of_their_own_and_others_have_none() -> None:
    features = fitted().encode(catalogue())
    never = taken() == 0
    assert (features.ids[never] == 0).all()
    assert sorted(features.ids[~never]) == list(range(1, (~never).sum() + 1))
    often = fitted(OPTIONS.model_copy(update={"min_taken": 3})).encode(catalogue())
    assert ((often.ids > 0) == (taken() >= 3)).all()


def test_the_order_of_listings_does_not_matter_and_new_ones_have_no_id() -> None:
    encoder, items = fitted(), catalogue()
    order = np.random.default_rng(1).permutation(60)
    features, mixed = encoder.encode(items), encoder.encode(items.take(order))
    np.testing.assert_array_equal(mixed.ids, features.ids[order])
    np.testing.assert_array_equal(mixed.categories, features.categories[order])
    np.testing.assert_array_equal(mixed.numbers, features.numbers[order])
    np.testing.assert_allclose(mixed.text, features.text[order], atol=1e-5)
    new = replace(items, ids=np.array([f"new-{row}" for row in range(60)], object))
    assert not encoder.encode(new).ids.any()
    np.testing.assert_array_equal(encoder.encode(new).categories, features.categories)


def test_what_is_missing_is_0_and_counted() -> None:
    items = catalogue()
    features = fitted().encode(items)
    size = items.categories["size"].codes == -1
    assert ((features.categories[:, 0] == 0) == size).all()
    assert features.missing["size"] == size.sum() > 0
    price = np.isnan(items.numbers["price"])
    assert ((features.numbers[:, 1] == 1) == price).all()
    assert (features.numbers[price, 0] == 0).all()
    assert features.missing["price"] == price.sum() > 0
    assert features.missing["year"] == 0
    text = (items.texts["title"] == "") & (items.texts["description"] == "")
    assert ((features.text == 0).all(axis=1) == text).all()
    assert features.missing["title + description"] == text.sum() > 0
    assert not any(features.unknown.values())


def test_what_is_unknown_is_0_and_counted() -> None:
    items = catalogue()
    sizes = items.categories["size"].decode()
    sizes[:3] = ["XXL", "huge", "M"]
    price = items.numbers["price"].copy()
    price[:4] = [np.inf, -np.inf, 1e308, -1e308]
    texts = {name: column.copy() for name, column in items.texts.items()}
    texts["title"][:2], texts["description"][:2] = ["qwertz", "wool"], ["asdf", "yxcv"]
    changed = replace(
        items,
        categories=dict(items.categories)
        | {"size": Categories.encode(sizes), "mood": Categories.encode(sizes)},
        numbers=dict(items.numbers) | {"price": price, "weight": price},
        texts=texts,
    )
    features = fitted().encode(changed)
    assert features.unknown == {"size": 2, "colour": 0, "price": 2, "year": 0, "title + description": 1}
    assert features.categories[:2, 0].tolist() == [0, 0]
    assert features.categories[2, 0] > 0
    assert features.numbers[:4, 1].tolist() == [1, 1, 0, 0]
    assert not features.text[0].any()
    assert features.text[1].any()
    assert features.ignored == ("mood", "weight")
    assert finite(features)


def test_words_that_are_rare_have_no_code() -> None:
    items = catalogue()
    sizes = items.categories["size"].decode()
    sizes[5] = "only once"
    items = replace(items, categories={"size": Categories.encode(sizes)})
    encoder = FeatureEncoder.fit(items, taken(), OPTIONS)
    assert encoder.categories["size"].rare == 1
    assert encoder.encode(items).unknown["size"] == 1
    generous = FeatureEncoder.fit(items, taken(), OPTIONS.model_copy(update={"min_count": 1}))
    assert generous.encode(items).unknown["size"] == 0


def test_columns_that_are_not_there_are_all_named() -> None:
    items = catalogue()
    lacking = Items(items.ids, {"size": items.categories["size"]}, {}, {"title": items.texts["title"]})
    with pytest.raises(ConfigurationError) as raised:
        fitted().encode(lacking)
    named = [line.split(",")[0] for line in raised.value.problems]
    assert named == [
        "items: no column 'colour' of kind category",
        "items: no column 'price' of kind number",
        "items: no column 'year' of kind number",
        "items: no column 'description' of kind text",
    ]


def test_ids_of_another_type_are_refused() -> None:
    items = catalogue()
    integers = replace(items, ids=np.array(range(60), object))
    with pytest.raises(ConfigurationError, match="ids are integers, such as 0, and the model knows strings"):
        fitted().encode(integers)
    with pytest.raises(
        ConfigurationError, match="ids are strings, such as 'item-0', and the model knows integers"
    ):
        FeatureEncoder.fit(integers, taken(), OPTIONS).encode(items)


@pytest.mark.parametrize("rows", [0, 1])
def test_catalogues_of_one_listing_or_none(rows: int) -> None:
    items = catalogue().take(slice(0, rows))
    encoder = FeatureEncoder.fit(items, np.ones(rows, np.int64), OPTIONS)
    assert finite(encoder.encode(items))
    assert finite(encoder.encode(catalogue()))
    assert encoder.encode(catalogue()).ids.sum() == rows


def test_a_catalogue_of_ids_alone() -> None:
    items = Items(catalogue().ids)
    encoder = FeatureEncoder.fit(items, taken())
    features = encoder.encode(items)
    assert (features.categories.shape, features.numbers.shape, features.text.shape) == ((60, 0),) * 3
    assert (encoder.sizes.categories, encoder.sizes.numbers, encoder.sizes.text) == ((), 0, 0)
    assert len(encoder.preferences([{}]).features) == 0


def test_preferences_are_listings_of_which_nothing_else_is_known() -> None:
    encoder = fitted()
    said = encoder.preferences(
        [
            {"colour": "red", "size": ["M", "S", "M"]},
            {},
            {"size": ("L", "XXL", "")},
            {"colour": "XXL"},
            {"size": ["S", "M", "L"], "colour": ["blue", "red"]},
        ]
    )
    size, colour = (encoder.categories[name].codes for name in ("size", "colour"))
    assert said.starts.tolist() == [0, 2, 2, 3, 3, 6]
    assert len(said) == 5
    assert said.features.categories.tolist() == [
        [size["M"], colour["red"]],
        [size["S"], colour["red"]],
        [size["L"], 0],
        [size["S"], colour["blue"]],
        [size["M"], colour["red"]],
        [size["L"], colour["blue"]],
    ]
    assert said.features.unknown == {"size": 1, "colour": 1}
    nothing = Items(
        np.array(["new"] * 6, object),
        {name: Categories.encode([None] * 6) for name in encoder.categories},
        {name: np.full(6, np.nan) for name in encoder.numbers},
        {name: np.array([""] * 6, object) for name in encoder.texts},
    )
    listings = encoder.encode(nothing)
    np.testing.assert_array_equal(said.features.ids, listings.ids)
    np.testing.assert_array_equal(said.features.numbers, listings.numbers)
    np.testing.assert_array_equal(said.features.text, listings.text)


def test_preferences_of_unknown_columns_and_of_no_words_are_named_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        fitted().preferences(
            [{"size": "M"}, {"brand": "A", "size": 42}, {"brand": "B", "colour": ["red", None]}]
        )  # type: ignore[dict-item,list-item]
    assert raised.value.problems == [
        "preferences[1]: the model has no category 'brand' (it has: size, colour)",
        "preferences[1].size must be a word or a list of words, got 42",
        "preferences[2].colour must be a word or a list of words, got ['red', None]",
    ]


def test_the_words_of_a_size_are_those_of_the_catalogue() -> None:
    assert set(fitted().categories["size"].words) == set(SIZES)
