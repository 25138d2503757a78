"""Vectors of users, texts and listings, beside what the encoder makes of the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engines.base import Schema
from harness.errors import ConfigurationError
from models.encoding.encoder import Encoder
from models.encoding.user import DAY_MS
from service.catalogue.listing import Listing
from service.retrieval.users import UserVectors
from service.retrieval.values import InvalidRequestError, Taken, User
from tests.unit.models.encoding.made import encoder
from tests.unit.models.features.catalogues import catalogue
from tests.unit.service.memory.truth import NOW_MS, Truth, listings


def made(weight: float = 0.4) -> tuple[UserVectors, Encoder, Truth, np.ndarray]:
    """Vectors of a model whose listings are in the truth as an index holds them; and as the model made them."""
    model = encoder(weight)
    encoded = model.listings(catalogue())
    indexed = model.indexed(encoded.vectors, encoded.ids)
    stored = [replace(one, vector=vector) for one, vector in zip(listings(60), indexed, strict=True)]
    truth = Truth(stored)
    schema = Schema(indexed.shape[1], "ip", model="towers@1")
    return UserVectors(truth, schema, model), model, truth, encoded.vectors  # type: ignore[arg-type]


def history(*numbers: int, days: int | None = None) -> User:
    at_ms = None if days is None else NOW_MS - days * DAY_MS
    return User(tuple(Taken(f"id-{number}", at_ms) for number in numbers))


@pytest.mark.parametrize("weight", [0.4, 0.0])
def test_a_user_is_what_the_encoder_makes_of_their_history(weight: float) -> None:
    users, model, truth, vectors = made(weight)
    found = users.of_user(history(5, 2, 9), NOW_MS)
    wanted = model.queries(model.user.one(vectors[[5, 2, 9]])[None])[0]
    np.testing.assert_allclose(found.vector, wanted, atol=1e-5)
    assert [one["price"] for one in found.attributes] == [
        truth.there[n].attributes["price"] for n in (5, 2, 9)
    ]
    assert found.unused == {}
    other = users.of_user(history(9, 2), NOW_MS).vector
    assert not np.allclose(other, wanted, atol=1e-3)


def test_ages_count_where_times_are_known() -> None:
    users, model, _, vectors = made()
    known = User((Taken("id-1", NOW_MS - 100 * DAY_MS), Taken("id-2", NOW_MS + DAY_MS)))
    wanted = model.queries(model.user.one(vectors[[1, 2]], np.array([100.0, 0.0]))[None])[0]
    np.testing.assert_allclose(users.of_user(known, NOW_MS).vector, wanted, atol=1e-5)
    assert not np.allclose(users.of_user(history(1, 2), NOW_MS).vector, wanted, atol=1e-3)


def test_preferences_are_declared_to_the_model_and_unknown_words_counted() -> None:
    users, model, _, vectors = made()
    user = replace(history(3), preferences={"colour": ("red", "puce")})
    found = users.of_user(user, NOW_MS)
    declared = model.preferences([{"colour": ["red"]}]).vectors
    wanted = model.queries(model.user.one(vectors[[3]], declared=declared)[None])[0]
    np.testing.assert_allclose(found.vector, wanted, atol=1e-5)
    assert found.unused == {"preferences, unknown colour": 1}
    with pytest.raises(InvalidRequestError, match="no category 'shape'"):
        users.of_user(User(preferences={"shape": ("round",)}), NOW_MS)


def test_what_is_gone_or_of_another_model_is_left_out_and_counted() -> None:
    users, model, truth, vectors = made()
    truth.put([replace(truth.there[4], model="towers@0"), replace(truth.there[6], model="")])
    found = users.of_user(history(4, 6, 1000), NOW_MS)
    np.testing.assert_allclose(found.vector, model.queries(model.user.one(vectors[[6]])[None])[0], atol=1e-5)
    assert found.unused == {"history, not there": 1, "history, of another model": 1}
    with pytest.raises(InvalidRequestError, match="towers@0"):
        users.of_listing(truth.there[4])


def test_what_was_sold_says_no_less_of_who_took_it() -> None:
    users, model, truth, vectors = made()
    truth.remove([4])
    encoded = users.of_user(history(3, 4), NOW_MS)
    assert encoded.vector is not None
    np.testing.assert_allclose(
        encoded.vector, model.queries(model.user.one(vectors[[3, 4]])[None])[0], rtol=1e-5
    )
    assert encoded.unused == {}


def test_a_model_knows_somebody_of_whom_nothing_is_known() -> None:
    users, model, _, _ = made()
    wanted = model.queries(model.user.one(np.empty((0, len(model.weights.user.empty)), np.float32))[None])[0]
    np.testing.assert_allclose(users.of_user(User(), NOW_MS).vector, wanted, atol=1e-6)


@pytest.mark.parametrize("weight", [0.4, 0.0])
def test_listings_like_one_are_those_of_the_highest_score_with_it(weight: float) -> None:
    users, model, truth, vectors = made(weight)
    near = np.stack([truth.there[n].vector for n in range(60)]) @ users.of_listing(truth.there[7])
    wanted = model.scores(vectors[[7]], vectors, model.listings(catalogue()).ids)[0]
    ranked = wanted[np.argsort(-near)]
    assert (np.diff(ranked) <= 1e-5).all()


def test_a_text_is_a_listing_of_which_nothing_else_is_known() -> None:
    users, model, _, _ = made()
    title = str(catalogue().texts[model.features.texts[0]][0])
    features = replace(model.features.nothing(1), text=model.features.text.encode([title]))
    wanted = model.queries(model.listing.vectors(features))[0]
    np.testing.assert_allclose(users.of_text(title), wanted, atol=1e-6)


def test_without_a_model_a_user_is_the_mean_of_what_they_took() -> None:
    stored = listings(10)
    users = UserVectors(Truth(stored), Schema(6, "ip", model="towers@1"))  # type: ignore[arg-type]
    units = [stored[n].vector / np.linalg.norm(stored[n].vector) for n in (1, 2)]
    np.testing.assert_allclose(users.of_user(history(1, 2), NOW_MS).vector, np.mean(units, axis=0), atol=1e-6)
    assert users.of_user(User(), NOW_MS).vector is None
    like: Listing = stored[3]
    assert users.of_listing(like) is like.vector
    for ask in (
        lambda: users.of_user(User(preferences={"brand": ("acme",)}), NOW_MS),
        lambda: users.of_text("x"),
    ):
        with pytest.raises(InvalidRequestError, match="model"):
            ask()


def test_where_distances_count_the_mean_lies_among_what_they_took() -> None:
    """At length 1 it would lie near the origin, and the shortest vector would be the nearest to everybody."""
    at = {1: [100.0, 90, 0, 0, 0, 0], 2: [90.0, 100, 0, 0, 0, 0], 3: [0.0, 0, 3, 0, 0, 0]}
    stored = [replace(listings(10)[n], vector=np.array(vector, np.float32)) for n, vector in at.items()]
    users = UserVectors(Truth(stored), Schema(6, "l2", model="towers@1"))  # type: ignore[arg-type]
    vector = users.of_user(history(1, 2), NOW_MS).vector
    assert vector is not None
    np.testing.assert_allclose(vector, [95, 95, 0, 0, 0, 0])
    distances = [np.linalg.norm(one.vector - vector) for one in stored]
    assert int(np.argmax(distances)) == 2


def test_a_model_of_another_dimension_than_the_index_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="dimensions, the index 6"):
        UserVectors(Truth([]), Schema(6, "ip"), encoder())  # type: ignore[arg-type]
