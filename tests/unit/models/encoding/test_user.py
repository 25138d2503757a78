"""Vectors of users."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.data.interactions import ItemLists
from models.encoding import user as room
from models.encoding.maths import residual, unit
from models.encoding.user import DAY_MS, Declared, UserEncoder
from models.features.features import Float32
from tests.unit.models.encoding.made import DIM, unit_vectors, weights

LISTINGS = unit_vectors(50)
HISTORIES = [[3, 7, 1], [], [9], [4, 4, 8, 20, 21, 22], []]
SAID = [1, 2, 0, 3, 0]  # listings that each user declares
NOW = 1_700_000_000_000
RECENCY = np.array([-2], np.float32)


def lists(histories: list[list[int]], ages_days: list[list[float]] | None = None) -> ItemLists:
    made = ItemLists.of(histories)
    if ages_days is None:
        return made
    times = NOW - np.array([age for ages in ages_days for age in ages]) * DAY_MS
    return ItemLists(made.starts, made.items, times.astype(np.int64))


def declared() -> Declared:
    return Declared(unit_vectors(sum(SAID), 1), np.concatenate([[0], np.cumsum(SAID)]))


def plainly(tower: UserEncoder, members: Float32, ages: list[float]) -> Float32:
    """One user, member by member; `ages` are 0 for what is declared."""
    held = tower.weights
    if not len(members):
        return unit(residual(held.empty, held.residual), len(held.attention))
    means = []
    for part, own in enumerate(np.split(members.astype(np.float64), len(held.attention), axis=1)):
        scores = own @ held.attention[part] + held.recency[part] * np.log1p(ages)
        shares = np.exp(scores) / np.exp(scores).sum()
        means.append(shares @ own)
    return unit(residual(np.concatenate(means).astype(np.float32), held.residual), len(means))


@pytest.mark.parametrize("parts", [1, 2])
@pytest.mark.parametrize("with_times", [False, True])
@pytest.mark.parametrize("says", [False, True])
def test_one_user_and_many_are_as_member_by_member(with_times: bool, says: bool, parts: int) -> None:
    tower = UserEncoder(weights(parts=parts).user)
    ages = [[float(place * 5 + row) for place, _ in enumerate(items)] for row, items in enumerate(HISTORIES)]
    said = declared()
    many = tower.many(
        LISTINGS,
        lists(HISTORIES, ages if with_times else None),
        np.full(5, NOW) if with_times else None,
        said if says else None,
    )
    for user, items in enumerate(HISTORIES):
        own = (
            said.vectors[said.starts[user] : said.starts[user + 1]]
            if says
            else np.zeros((0, DIM), np.float32)
        )
        known = [*(ages[user] if with_times else [0.0] * len(items)), *[0.0] * len(own)]
        expected = plainly(tower, np.concatenate([LISTINGS[items], own]), known)
        one = tower.one(LISTINGS[items], np.array(ages[user]) if with_times else None, own if says else None)
        np.testing.assert_allclose(one, expected, atol=1e-5)
        np.testing.assert_allclose(many[user], expected, atol=1e-5)


def test_recent_listings_weigh_more_where_recency_counts() -> None:
    tower = UserEncoder(replace(weights().user, recency=RECENCY, attention=np.zeros((1, DIM), np.float32)))
    new, old = (
        tower.one(LISTINGS[:2], np.array([0.0, 300.0])),
        tower.one(LISTINGS[:2], np.array([300.0, 0.0])),
    )
    np.testing.assert_allclose(new, tower.one(LISTINGS[:1]), atol=0.1)
    np.testing.assert_allclose(old, tower.one(LISTINGS[1:2]), atol=0.1)
    without = UserEncoder(replace(tower.weights, recency=RECENCY * 0))
    np.testing.assert_array_equal(
        without.one(LISTINGS[:2], np.array([0.0, 300.0])), without.one(LISTINGS[:2])
    )


def test_what_was_taken_after_one_is_asked_was_taken_just_now() -> None:
    tower = UserEncoder(weights().user)
    late, now = (tower.many(LISTINGS, lists([[1, 2]], [[age, 9.0]]), np.array([NOW])) for age in (-7.0, 0.0))
    np.testing.assert_array_equal(late, now)
    ages = np.array([-7.0, 9.0]), np.array([np.nan, 9.0])
    for one in ages:
        np.testing.assert_allclose(tower.one(LISTINGS[1:3], one), now[0], atol=1e-6)


def test_only_the_newest_of_a_long_history_count() -> None:
    tower = UserEncoder(weights(longest=3).user)
    ages = [[6.0, 5.0, 4.0, 3.0], [2.0], []]
    cut = tower.many(LISTINGS, lists([[1, 2, 3, 4], [5], []], ages), np.full(3, NOW))
    kept = tower.many(LISTINGS, lists([[2, 3, 4], [5], []], [ages[0][1:], *ages[1:]]), np.full(3, NOW))
    np.testing.assert_array_equal(cut, kept)
    np.testing.assert_allclose(tower.one(LISTINGS[1:5], np.array(ages[0])), kept[0], atol=1e-6)
    whole = UserEncoder(weights(longest=4).user).one(LISTINGS[1:5], np.array(ages[0]))
    assert not np.allclose(whole, kept[0], atol=1e-3)


def test_users_are_encoded_in_parts_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    tower = UserEncoder(weights(longest=4).user)
    ages = [[float(place) for place, _ in enumerate(items)] for items in HISTORIES]
    given = (LISTINGS, lists(HISTORIES, ages), np.full(5, NOW), declared())
    whole = tower.many(*given)
    monkeypatch.setattr(room, "_CHUNK", 2)
    np.testing.assert_allclose(tower.many(*given), whole, atol=1e-6)
    assert tower.many(LISTINGS, ItemLists.of([])).shape == (0, DIM)


def test_scores_of_any_size_give_finite_vectors() -> None:
    tower = UserEncoder(
        replace(weights().user, attention=np.full((1, DIM), 1e4, np.float32), recency=RECENCY * 5000)
    )
    vectors = tower.many(LISTINGS, lists([[1, 2, 3]], [[0.0, 1e6, 3.0]]), np.array([NOW]))
    assert np.isfinite(vectors).all()
    assert np.isfinite(tower.one(LISTINGS[1:4], np.array([0.0, np.inf, 1e30]))).all()


def test_what_is_given_is_not_changed() -> None:
    before = LISTINGS.copy(), weights().user.empty
    tower = UserEncoder(weights().user)
    tower.one(LISTINGS[:3], np.arange(3.0))
    tower.one(LISTINGS[:0])
    tower.many(LISTINGS, lists(HISTORIES))
    np.testing.assert_array_equal(LISTINGS, before[0])
    np.testing.assert_array_equal(tower.weights.empty, before[1])
