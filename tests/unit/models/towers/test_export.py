"""The towers in JAX and in NumPy."""

from __future__ import annotations

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from models.data.interactions import ItemLists
from models.encoding.listing import ListingEncoder
from models.encoding.padding import padded_listings, padded_users
from models.encoding.user import DAY_MS, Declared, UserEncoder
from models.encoding.weights import TowerWeights
from models.features.features import Features
from models.towers.export import exported
from models.towers.listing import FeatureArrays, TowerShape
from models.towers.two_tower import TwoTower
from models.training.loop.batches import padded

SHAPE = TowerShape(ids=80, categories=(9, 1, 30), numbers=4, text=16, dim=32, hidden=64)
PARTS = [1, 2]
ROWS, USERS, LONGEST, NOW = 300, 90, 6, 1_700_000_000_000
RNG = np.random.default_rng(0)
POPULARITY = np.concatenate([[0], RNG.random(SHAPE.ids - 1)]).astype(np.float32)


def random_model(parts: int = 1, *, popular: bool = True) -> TwoTower:
    """Trained at random: no weight is 0, as some are when training begins."""
    shape = replace(SHAPE, parts=parts)
    graph, first = nnx.split(TwoTower(shape, popular=popular, rng=np.random.default_rng(0)))
    rng = np.random.default_rng(1)

    def redrawn(leaf: jax.Array) -> jax.Array:
        return jnp.asarray(rng.normal(0, 0.4, leaf.shape).astype(np.float32))

    model: TwoTower = nnx.merge(graph, jax.tree.map(redrawn, first))
    return model


@pytest.fixture(scope="module", params=PARTS)
def trained(request: pytest.FixtureRequest) -> TwoTower:
    return random_model(request.param)


FEATURES = Features(
    RNG.integers(0, SHAPE.ids, ROWS).astype(np.int32) * (RNG.random(ROWS) < 0.6).astype(np.int32),
    np.stack([RNG.integers(0, words, ROWS) for words in SHAPE.categories], axis=1).astype(np.int32),
    RNG.normal(size=(ROWS, SHAPE.numbers)).astype(np.float32),
    RNG.normal(size=(ROWS, SHAPE.text)).astype(np.float32),
)
LENGTHS = RNG.integers(0, 10, USERS)
HISTORIES = [RNG.choice(ROWS, length, replace=False) for length in LENGTHS]
ASKED = np.full(USERS, NOW)


def on_device(features: Features) -> FeatureArrays:
    return FeatureArrays(
        *map(jnp.asarray, (features.ids, features.categories, features.numbers, features.text))
    )


@nnx.jit
def listings_of(model: TwoTower, features: FeatureArrays) -> jax.Array:
    return model.listing(features)


@nnx.jit
def users_of(  # noqa: PLR0917 - as the model takes them
    model: TwoTower,
    listings: jax.Array,
    items: jax.Array,
    present: jax.Array,
    age_days: jax.Array,
    declared: FeatureArrays,
    declares: jax.Array,
) -> jax.Array:
    return model.users(listings, items, present, age_days, declared=declared, declares=declares)


def flat(vectors: jax.Array) -> np.ndarray:
    return np.asarray(vectors).reshape(len(vectors), -1)


def by_part(model: TwoTower, vectors: np.ndarray) -> np.ndarray:
    return vectors.reshape(len(vectors), model.parts, -1)


def histories(*, with_times: bool) -> ItemLists:
    made = ItemLists.of(HISTORIES)
    times = NOW - (np.random.default_rng(3).random(len(made.items)) * 100 * DAY_MS).astype(np.int64)
    return ItemLists(made.starts, made.items, times) if with_times else made


def test_listings_are_the_same_within_1e_5(trained: TwoTower) -> None:
    tower = ListingEncoder(exported(trained, POPULARITY, LONGEST).listing)
    expected = flat(listings_of(trained, on_device(FEATURES)))
    assert np.abs(tower.vectors(FEATURES) - expected).max() < 1e-5


@pytest.mark.parametrize("with_times", [False, True])
@pytest.mark.parametrize("says", [False, True])
def test_users_are_the_same_within_1e_5(trained: TwoTower, with_times: bool, says: bool) -> None:
    weights = exported(trained, POPULARITY, LONGEST)
    tower = UserEncoder(weights.user)
    listings = ListingEncoder(weights.listing).vectors(FEATURES)
    lists = histories(with_times=with_times)
    declares = np.arange(USERS) % 3 == 0
    said = FEATURES.take(np.arange(USERS))
    arguments = padded(lists, LONGEST, ASKED if with_times else None)
    device = map(jnp.asarray, (by_part(trained, listings), *arguments))
    expected = flat(users_of(trained, *device, on_device(said), declares & says))
    declared = (
        Declared(listings[:USERS][declares], np.concatenate([[0], np.cumsum(declares)])) if says else None
    )
    many = tower.many(listings, lists, ASKED if with_times else None, declared)
    assert np.abs(many - expected).max() < 1e-5
    for user in range(0, USERS, 7):
        ages = None
        if lists.times_ms is not None:
            ages = (NOW - lists.times_ms[lists.starts[user] : lists.starts[user + 1]]) / DAY_MS
        own = listings[user : user + 1] if says and declares[user] else None
        assert np.abs(tower.one(listings[lists[user]], ages, own) - expected[user]).max() < 1e-5


def test_a_wrong_weight_would_be_seen(trained: TwoTower) -> None:
    weights = exported(trained, POPULARITY, LONGEST)
    expected = flat(listings_of(trained, on_device(FEATURES)))
    layer = weights.listing.residual
    other = replace(weights.listing, residual=replace(layer, offset=layer.offset + np.float32(1e-3)))
    assert np.abs(ListingEncoder(other).vectors(FEATURES) - expected).max() > 1e-5


def test_scores_and_padded_vectors_rank_as_the_model_does(trained: TwoTower) -> None:
    weights = TowerWeights.of_arrays(exported(trained, POPULARITY, LONGEST).arrays())
    listings = ListingEncoder(weights.listing).vectors(FEATURES)
    users = UserEncoder(weights.user).many(listings, histories(with_times=False))
    popularity = POPULARITY[FEATURES.ids]
    # The model's scores part by part, each divided by how sharp the part is: their mean is what an index ranks by.
    sides = (by_part(trained, users), by_part(trained, listings), popularity)
    sharp = np.exp(np.asarray(trained.log_scale[...]))[:, None, None]
    expected = (np.asarray(trained.scores(*map(jnp.asarray, sides))) / sharp).mean(axis=0)
    found = padded_users(users, weights.weight) @ padded_listings(listings, popularity).T
    ranked = np.take_along_axis(expected, np.argsort(-found, axis=1), axis=1)
    assert weights.weight
    assert (np.diff(ranked) <= 1e-4).all()


def test_a_model_without_popularity_gives_it_no_weight() -> None:
    assert exported(random_model(popular=False), POPULARITY, LONGEST).weight == 0
